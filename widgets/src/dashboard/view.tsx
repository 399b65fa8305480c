// The dashboard, from the top.
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { History, NO_FILTERS } from "./history";
import { useShown } from "../shared/shown";
import { useKernelTime } from "./hooks";
import { JobPanel } from "./job";
import { TABS, type DashboardState, type Filters, type Tab } from "./messages";
import { MetricsPanel } from "./metrics";
import { Queues } from "./queues";
import { RunningJobs } from "./running";
import type { Session, Shown } from "./session";
import { SystemPanel } from "./system";
import { Tracks } from "./tracks";
import { headline, returned, trouble } from "./words";

const TAB_NAMES: Readonly<Record<Tab, string>> = { jobs: "Jobs", metrics: "Metrics", system: "System" };

export function DashboardView({ session }: { readonly session: Session }) {
  const shown = useShown(session);
  const { state, lost, unansweredSeconds } = shown.synced;
  const told = trouble(lost, shown.silent, unansweredSeconds);
  return (
    <section
      class={`sf sf-dash${told === null ? "" : " sf-stale"}`}
      aria-label="soundforge dashboard"
      data-state={state === null ? "loading" : told === null ? "live" : "troubled"}
      data-revision={state?.revision}
      data-lm-suppress-shortcuts="true"
    >
      {state === null ? (
        <p class={told === null ? "sf-quiet" : "sf-trouble"}>{told ?? "Reading the library…"}</p>
      ) : (
        <Loaded session={session} shown={shown} state={state} trouble={told} />
      )}
      <Announcer trouble={told} sentence={shown.told?.sentence ?? null} />
    </section>
  );
}

function Loaded(props: {
  readonly session: Session;
  readonly shown: Shown;
  readonly state: DashboardState;
  readonly trouble: string | null;
}) {
  const { session, shown, state } = props;
  const [chosen, setChosen] = useState<Tab | null>(null);
  const [filters, setFilters] = useState<Filters>(NO_FILTERS);
  const tab = chosen ?? state.tab;
  const showDiscarded = () => {
    setChosen("jobs");
    setFilters({ ...NO_FILTERS, states: ["discarded"] });
  };
  return (
    <>
      <header class="sf-head">
        <span class={`sf-mark sf-mark-${props.trouble === null ? "done" : "troubled"}`}>
          <span class="sf-dot" aria-hidden="true" />
          {props.trouble === null ? "Live" : "No contact"}
        </span>
        <div class="sf-headline">
          <strong>{headline(state)}</strong>
          {state.states.discarded > 0 && (
            <button type="button" class="sf-link sf-failed-count" onClick={showDiscarded}>
              {state.states.discarded.toLocaleString("en")} discarded
            </button>
          )}
          {state.reconnected_at !== null && <Returned session={session} at={state.reconnected_at} />}
          {state.read_only && <span class="sf-badge">read-only</span>}
        </div>
        <Tabs id={session.id} tab={tab} onTab={setChosen} />
      </header>
      {props.trouble !== null && <p class="sf-trouble">{props.trouble}</p>}
      {shown.told !== null && (
        <p class={shown.told.ok ? "sf-answer sf-note" : "sf-answer sf-trouble"}>
          {shown.told.sentence}
          <button type="button" class="sf-link" onClick={() => session.forget()}>
            Dismiss
          </button>
        </p>
      )}
      <div role="tabpanel" id={`${session.id}-panel`} aria-labelledby={`${session.id}-tab-${tab}`} class="sf-panel">
        {tab === "jobs" && (
          <JobsPanel session={session} state={state} connected={props.trouble === null} filters={filters} onFilter={setFilters} />
        )}
        {tab === "metrics" && <MetricsPanel session={session} measuredAt={state.measured_at} />}
        {tab === "system" && (
          <SystemPanel
            session={session}
            children_={state.children}
            daskWorkers={state.dask_workers}
            version={state.version}
            dataFolder={state.data_folder}
          />
        )}
      </div>
    </>
  );
}

/** The application was away: jobs that ran were begun anew, so it is worth knowing for a while. */
function Returned(props: { readonly session: Session; readonly at: number }) {
  const words = returned(props.at, useKernelTime(props.session));
  return words === "" ? null : <span class="sf-quiet sf-returned">{words}</span>;
}

function Tabs(props: { readonly id: string; readonly tab: Tab; readonly onTab: (tab: Tab) => void }) {
  const list = useRef<HTMLDivElement>(null);
  const onKey = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? TABS.length - 1 : 0;
    if (step === 0) return;
    const next = TABS[(TABS.indexOf(props.tab) + step) % TABS.length] ?? "jobs";
    props.onTab(next);
    list.current?.querySelector<HTMLElement>(`#${props.id}-tab-${next}`)?.focus();
  };
  return (
    <div class="sf-tabs" role="tablist" aria-label="Parts of the dashboard" ref={list} onKeyDown={onKey}>
      {TABS.map((name) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={`${props.id}-tab-${name}`}
          class="sf-tab"
          aria-selected={name === props.tab}
          aria-controls={name === props.tab ? `${props.id}-panel` : undefined}
          tabIndex={name === props.tab ? 0 : -1}
          onClick={() => props.onTab(name)}
        >
          {TAB_NAMES[name]}
        </button>
      ))}
    </div>
  );
}

function JobsPanel(props: {
  readonly session: Session;
  readonly state: DashboardState;
  readonly connected: boolean;
  readonly filters: Filters;
  readonly onFilter: (filters: Filters) => void;
}) {
  const { session, state, filters, onFilter } = props;
  const [opened, setOpened] = useState<string | null>(null);
  const cameFrom = useRef<Element | null>(null);
  // The same one at each drawing, so that what did not change is not drawn again.
  const open = useCallback((jobId: string) => {
    setOpened((before) => {
      if (before === null) cameFrom.current = document.activeElement;
      return jobId;
    });
  }, []);
  const close = () => {
    setOpened(null);
    // Whoever came by keyboard goes on where they were.
    if (cameFrom.current instanceof HTMLElement) cameFrom.current.focus();
  };
  const names = state.queues.map((queue) => queue.queue).join("\n");
  const queues = useMemo(() => (names === "" ? [] : names.split("\n")), [names]);
  return (
    <>
      <Queues session={session} queues={state.queues} actions={state.actions} />
      <div class="sf-now">
        <RunningJobs
          session={session}
          running={state.running}
          more={state.running_more}
          mayCancel={state.actions.includes("cancel")}
          onOpen={open}
        />
        <Tracks tracks={state.tracks} more={state.tracks_more} />
      </div>
      <div class={`sf-then${opened === null ? "" : " sf-beside"}`}>
        <History
          session={session}
          states={state.states}
          queues={queues}
          revision={state.revision}
          running={state.running}
          connected={props.connected}
          filters={filters}
          opened={opened}
          onFilter={onFilter}
          onOpen={open}
        />
        {opened !== null && (
          <JobPanel
            session={session}
            jobId={opened}
            revision={state.revision}
            actions={state.actions}
            onOpen={open}
            onWords={(words) => onFilter({ ...NO_FILTERS, words })}
            onClose={close}
          />
        )}
      </div>
    </>
  );
}

/** Says aloud what matters, once, and politely. */
function Announcer(props: { readonly trouble: string | null; readonly sentence: string | null }) {
  const troubled = useRef(false);
  const [said, say] = useState("");
  useEffect(() => {
    if (troubled.current !== (props.trouble !== null)) say(props.trouble ?? "Connected again.");
    troubled.current = props.trouble !== null;
  }, [props.trouble !== null]);
  useEffect(() => {
    if (props.sentence !== null) say(props.sentence);
  }, [props.sentence]);
  return (
    <div class="sf-aloud" role="status" aria-live="polite">
      {said}
    </div>
  );
}
