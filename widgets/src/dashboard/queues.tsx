// The queues: how much of each is in use, what waits, what ended lately, and the ways to steer it.
import { memo } from "../shared/memo";
import { Spark } from "../shared/spark";
import type { Queue } from "./messages";
import type { Session } from "./session";
import { queueSentence } from "./words";

/** More places than this are a bar rather than places. */
const PLACES = 12;

export const Queues = memo(function Queues(props: {
  readonly session: Session;
  readonly queues: readonly Queue[];
  readonly actions: readonly string[];
}) {
  const steered = props.actions.some((action) => action.endsWith("_queue"));
  return (
    <section class="sf-section" aria-label="Queues">
      <h3 class="sf-title">Queues</h3>
      <table class="sf-table sf-queues">
        <thead>
          <tr>
            <th scope="col">Queue</th>
            <th scope="col">In use</th>
            <th scope="col" class="sf-number">Waiting</th>
            <th scope="col" class="sf-number sf-wide">Scheduled</th>
            <th scope="col" class="sf-number sf-wide">To retry</th>
            <th scope="col" class="sf-wide sf-lately">Ended in 5 min</th>
            {steered && <th scope="col" class="sf-number">Limit</th>}
          </tr>
        </thead>
        <tbody>
          {props.queues.map((queue) => (
            <OneQueue key={queue.queue} session={props.session} queue={queue} actions={props.actions} steered={steered} />
          ))}
        </tbody>
      </table>
    </section>
  );
});

const OneQueue = memo(function OneQueue(props: {
  readonly session: Session;
  readonly queue: Queue;
  readonly actions: readonly string[];
  readonly steered: boolean;
}) {
  const { queue } = props;
  const ended = queue.ended.reduce((sum, jobs) => sum + jobs, 0);
  return (
    <tr data-queue={queue.queue} data-paused={queue.paused}>
      <th scope="row">
        {queue.queue}
        {queue.paused && " "}
        {queue.paused && <span class="sf-badge">paused</span>}
      </th>
      <td>
        <Places queue={queue} />
      </td>
      <Count jobs={queue.waiting} />
      <Count jobs={queue.scheduled} wide />
      <Count jobs={queue.retryable} wide />
      <td class="sf-wide sf-lately">
        <Spark values={queue.ended} label={`${ended} jobs of ${queue.queue} ended in the last five minutes`} />
        <span class={`sf-number${ended > 0 ? "" : " sf-zero"}`}>{ended.toLocaleString("en")}</span>
      </td>
      {props.steered && (
        <td class="sf-number">
          <Steering session={props.session} queue={queue} actions={props.actions} />
        </td>
      )}
    </tr>
  );
});

function Count(props: { readonly jobs: number; readonly wide?: boolean }) {
  const zero = props.jobs > 0 ? "" : " sf-zero";
  return <td class={`sf-number${props.wide ? " sf-wide" : ""}${zero}`}>{props.jobs.toLocaleString("en")}</td>;
}

function Places({ queue }: { readonly queue: Queue }) {
  const most = Math.max(queue.slots, queue.running);
  return (
    <span class="sf-places" role="img" aria-label={`${queue.queue}: ${queueSentence(queue)}`}>
      {most <= PLACES ? (
        Array.from({ length: most }, (_, place) => (
          <span key={place} class={`sf-place${place < queue.running ? " sf-taken" : ""}${place >= queue.slots ? " sf-over" : ""}`} />
        ))
      ) : (
        <span class="sf-bar">
          <span class="sf-part sf-running" style={{ width: `${(100 * queue.running) / most}%` }} />
        </span>
      )}
      <span class="sf-quiet">
        {queue.running} of {queue.slots}
      </span>
    </span>
  );
}

function Steering(props: { readonly session: Session; readonly queue: Queue; readonly actions: readonly string[] }) {
  const { session, queue, actions } = props;
  const scale = (limit: number) => session.act("scale_queue", [queue.queue], limit);
  const toggle = queue.paused ? "resume_queue" : "pause_queue";
  return (
    <span class="sf-steering">
      {actions.includes("scale_queue") && (
        <span class="sf-stepper" role="group" aria-label={`Limit of ${queue.queue} on each Dask worker`}>
          <button type="button" aria-label={`One fewer at once in ${queue.queue}`} disabled={queue.limit === 0} onClick={() => scale(queue.limit - 1)}>
            −
          </button>
          <span title="at once on each Dask worker">{queue.limit}</span>
          <button type="button" aria-label={`One more at once in ${queue.queue}`} onClick={() => scale(queue.limit + 1)}>
            +
          </button>
        </span>
      )}
      {actions.includes(toggle) && (
        <button
          type="button"
          class="sf-button sf-small"
          aria-label={`${queue.paused ? "Resume" : "Pause"} ${queue.queue}`}
          onClick={() => session.act(toggle, [queue.queue])}
        >
          {queue.paused ? "Resume" : "Pause"}
        </button>
      )}
    </span>
  );
}
