// One line of the history. Its place is absolute: the list is as long as all jobs, and only what is seen exists.
import { shortName, span } from "../shared/format";
import { ROW_PX } from "./history";
import type { Job } from "./messages";
import { StateMark } from "./state";
import { When } from "./when";
import { kindName } from "./words";

export const COLUMNS = [
  ["State", "state"],
  ["Kind", "kind"],
  ["Song", "name"],
  ["Try", "try"],
  ["Took", "took"],
  ["When", "when"],
  ["What happened", "said"],
] as const;

export function HistoryRow(props: {
  readonly id: string;
  readonly position: number;
  readonly total: number;
  readonly job: Job | undefined;
  readonly progress: number | undefined;
  readonly now: number;
  readonly active: boolean;
  readonly opened: boolean;
  readonly onOpen: () => void;
}) {
  const { job, position } = props;
  return (
    <div
      id={props.id}
      class={`sf-row${props.active ? " sf-row-active" : ""}${props.opened ? " sf-row-opened" : ""}`}
      role="option"
      aria-selected={props.opened}
      aria-posinset={position + 1}
      aria-setsize={props.total}
      data-job={job?.job_id}
      style={{ transform: `translateY(${position * ROW_PX}px)`, height: `${ROW_PX}px` }}
      onClick={props.onOpen}
    >
      {job === undefined ? <span class="sf-quiet">…</span> : <Cells job={job} progress={props.progress} now={props.now} />}
    </div>
  );
}

function Cells(props: { readonly job: Job; readonly progress: number | undefined; readonly now: number }) {
  const { job, now } = props;
  const name = job.name === "" ? "" : shortName(job.name);
  const said = job.error ?? (job.state === "executing" ? job.message : waiting(job)) ?? "";
  return (
    <>
      <span class="sf-cell-state">
        <StateMark state={job.state} />
        {job.state === "executing" && <span class="sf-quiet"> {props.progress ?? job.progress} %</span>}
      </span>
      <span class="sf-cell-kind">{kindName(job.kind)}</span>
      <span class="sf-cell-name" title={job.name}>
        {name}
        {job.tags.map((tag) => (
          <span key={tag} class="sf-tag">
            {tag}
          </span>
        ))}
      </span>
      <span class="sf-cell-try">
        {job.attempt}/{job.max_attempts}
      </span>
      <span class="sf-cell-took">{took(job)}</span>
      <span class="sf-cell-when">
        <When at={job.ended_at ?? job.inserted_at} now={now} />
      </span>
      <span class="sf-cell-said" title={said}>
        {said}
      </span>
    </>
  );
}

function took(job: Job): string {
  if (job.ended_at === null || job.started_at === null) return "";
  return span(job.ended_at - job.started_at);
}

function waiting(job: Job): string {
  if (job.waits_for > 0) return `Waits for ${job.waits_for} other job${job.waits_for === 1 ? "" : "s"}`;
  return job.message;
}
