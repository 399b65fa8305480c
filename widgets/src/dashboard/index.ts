// The root widget of the dashboard: what anywidget loads.
import { h, render as renderInto } from "preact";
import type { HostModel } from "../shared/channel";
import { Session } from "./session";
import { DashboardView } from "./view";
import "../shared/look.css";
import "../shared/head.css";
import "./dashboard.css";

function render({ model, el }: { model: HostModel; el: HTMLElement }): () => void {
  const session = new Session(model);
  renderInto(h(DashboardView, { session }), el);
  session.open();
  return () => {
    session.close();
    renderInto(null, el);
  };
}

export default { render };
