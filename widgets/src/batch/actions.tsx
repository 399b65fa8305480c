// The buttons. Where work would be lost, a question stands between the click and the deed.
import { useEffect } from "preact/hooks";
import { counted } from "../shared/format";
import { Question, useAsking } from "../shared/question";
import type { BatchState } from "./messages";
import type { Session } from "./session";

export function Actions({ session, state }: { readonly session: Session; readonly state: BatchState }) {
  const { asking, ask, settle, button } = useAsking();
  const { pending } = session.shown;
  const finished = state.state === "finished";

  useEffect(() => {
    if (finished) settle();
  }, [finished]);

  if (asking && !finished) {
    return (
      <Question
        label="Cancel the batch"
        text={`Stop ${counted(state.inputs.under_way, "unfinished track")}? What is half done is lost.`}
        no="Keep going"
        yes="Cancel them"
        onNo={settle}
        onYes={() => {
          settle();
          session.act("cancel");
        }}
      />
    );
  }
  return (
    <div class="sf-actions">
      {state.retryable > 0 && (
        <button type="button" class="sf-button" disabled={pending !== null} onClick={() => session.act("retry")}>
          {pending === "retry" ? "Trying again…" : "Retry failed"}
        </button>
      )}
      {!finished && (
        <button
          type="button"
          class="sf-button"
          ref={button}
          disabled={pending !== null}
          onClick={ask}
        >
          {pending === "cancel" ? "Cancelling…" : "Cancel"}
        </button>
      )}
    </div>
  );
}
