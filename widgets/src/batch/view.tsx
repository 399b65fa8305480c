// The view of a batch, from the top.
import { useEffect, useRef, useState } from "preact/hooks";
import { PartsBar, type Part } from "../shared/bar";
import { now } from "../shared/channel";
import { duration } from "../shared/format";
import { useShown } from "../shared/shown";
import { Actions } from "./actions";
import { FailureList, RunningList } from "./lists";
import type { BatchState } from "./messages";
import type { Session, Shown } from "./session";
import { Steps } from "./steps";
import { elapsedSeconds } from "./synced";
import { announcement, headline, trouble } from "./words";

export function BatchView({ session }: { readonly session: Session }) {
  const shown = useShown(session);
  const { state, lost, unansweredSeconds } = shown.synced;
  const told = trouble(lost, shown.silent, unansweredSeconds);
  return (
    <section class="sf" aria-label="Batch" data-state={state?.state ?? "loading"} data-lm-suppress-shortcuts="true">
      {state === null ? <Loading trouble={told} /> : <Loaded session={session} shown={shown} state={state} trouble={told} />}
      <Announcer state={state} trouble={told} />
    </section>
  );
}

function Loading(props: { readonly trouble: string | null }) {
  return <p class={props.trouble === null ? "sf-quiet" : "sf-trouble"}>{props.trouble ?? "Reading the batch…"}</p>;
}

function Loaded(props: {
  readonly session: Session;
  readonly shown: Shown;
  readonly state: BatchState;
  readonly trouble: string | null;
}) {
  const { session, shown, state } = props;
  const { answer } = shown;
  return (
    <>
      <header class="sf-head">
        <Mark state={state} troubled={props.trouble !== null} />
        <div class="sf-headline">
          <strong>{headline(state)}</strong>
          {state.inputs.failed > 0 && <span class="sf-failed-count">{state.inputs.failed} failed</span>}
          <Elapsed shown={shown} />
        </div>
        <Actions session={session} state={state} />
      </header>
      {props.trouble !== null && <p class="sf-trouble">{props.trouble}</p>}
      {answer !== null && answer.sentence !== "" && (
        <p class={answer.ok ? "sf-quiet sf-answer" : "sf-trouble sf-answer"} role="status">
          {answer.sentence}
        </p>
      )}
      {state.inputs.total === 0 ? (
        <p class="sf-quiet">This batch has no tracks. Look at what forge.add gave: it names what it found.</p>
      ) : (
        <div class="sf-whole">
          <PartsBar
            label="Whole batch"
            valueText={`${state.percent} percent`}
            percent={state.percent}
            total={100}
            parts={wholeParts(state)}
            large
          />
          <span class="sf-percent">{state.percent} %</span>
        </div>
      )}
      <Steps steps={state.steps} />
      <RunningList state={state} />
      <FailureList state={state} />
    </>
  );
}

/** Under way: how far. At the end: what came out. */
function wholeParts({ state, percent, inputs }: BatchState): Part[] {
  if (state !== "finished") return [{ name: "running", share: percent }];
  const share = (count: number) => (100 * count) / Math.max(1, inputs.total);
  return [
    { name: "done", share: share(inputs.done) },
    { name: "failed", share: share(inputs.failed) },
  ];
}

function tone(state: BatchState): string {
  if (state.state !== "finished") return "running";
  return state.inputs.done === 0 && state.inputs.failed > 0 ? "failed" : "done";
}

/** The state in a word and a colour. */
function Mark(props: { readonly state: BatchState; readonly troubled: boolean }) {
  const finished = props.state.state === "finished";
  const word = props.troubled ? "No contact" : finished ? "Finished" : "Running";
  const look = props.troubled ? "troubled" : finished ? tone(props.state) : "running";
  return (
    <span class={`sf-mark sf-mark-${look}`}>
      <span class="sf-dot" aria-hidden="true" />
      {word}
    </span>
  );
}

function Elapsed({ shown }: { readonly shown: Shown }) {
  const [, tick] = useState(0);
  const going = shown.synced.state?.finished_at === null && shown.synced.lost === null && !shown.silent;
  useEffect(() => {
    if (!going) return undefined;
    const timer = setInterval(() => tick((ticks) => ticks + 1), 1000);
    return () => clearInterval(timer);
  }, [going]);
  const seconds = elapsedSeconds(shown.synced, now());
  if (seconds === null) return null;
  const started = shown.synced.state?.started_at ?? null;
  const title = started === null ? "" : `Started ${new Date(started * 1000).toLocaleString()}`;
  return (
    <span class="sf-quiet sf-elapsed" title={title}>
      {duration(seconds)}
    </span>
  );
}

/** Says aloud what matters, once, and politely. */
function Announcer(props: { readonly state: BatchState | null; readonly trouble: string | null }) {
  const before = useRef<{ state: BatchState | null; troubled: boolean }>({ state: null, troubled: false });
  const [said, say] = useState("");
  const troubled = props.trouble !== null;
  useEffect(() => {
    const was = before.current;
    before.current = { state: props.state, troubled };
    const words =
      troubled !== was.troubled
        ? troubled
          ? (props.trouble ?? "")
          : "Connected again."
        : announcement(was.state, props.state);
    if (words !== "") say(words);
  }, [props.state, troubled]);
  return (
    <div class="sf-aloud" role="status" aria-live="polite">
      {said}
    </div>
  );
}
