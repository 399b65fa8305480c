// The buttons. Where work would be lost, a question stands between the click and the deed.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { counted } from "../shared/format";
import type { BatchState } from "./messages";
import type { Session } from "./session";

export function Actions({ session, state }: { readonly session: Session; readonly state: BatchState }) {
  const [asking, setAsking] = useState(false);
  const cancelButton = useRef<HTMLButtonElement>(null);
  const wasAsking = useRef(false);
  const { pending } = session.shown;
  const finished = state.state === "finished";

  useEffect(() => {
    if (finished) setAsking(false);
  }, [finished]);
  useLayoutEffect(() => {
    // Whoever came by keyboard goes on where they were.
    if (wasAsking.current && !asking) cancelButton.current?.focus();
    wasAsking.current = asking;
  }, [asking]);

  if (asking && !finished) {
    return (
      <Question
        unfinished={state.inputs.under_way}
        onNo={() => setAsking(false)}
        onYes={() => {
          setAsking(false);
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
          ref={cancelButton}
          disabled={pending !== null}
          onClick={() => setAsking(true)}
        >
          {pending === "cancel" ? "Cancelling…" : "Cancel"}
        </button>
      )}
    </div>
  );
}

function Question(props: { readonly unfinished: number; readonly onNo: () => void; readonly onYes: () => void }) {
  const no = useRef<HTMLButtonElement>(null);
  // Before the next key arrives.
  useLayoutEffect(() => no.current?.focus(), []);
  return (
    <div
      class="sf-actions sf-question"
      role="alertdialog"
      aria-label="Cancel the batch"
      onKeyDown={(event) => {
        if (event.key === "Escape") props.onNo();
      }}
    >
      <span>Stop {counted(props.unfinished, "unfinished track")}? What is half done is lost.</span>
      <span class="sf-buttons">
        <button type="button" class="sf-button" ref={no} onClick={props.onNo}>
          Keep going
        </button>
        <button type="button" class="sf-button sf-danger" onClick={props.onYes}>
          Cancel them
        </button>
      </span>
    </div>
  );
}
