// What runs now, and what failed. Names and sentences are strangers' text: text, never markup.
import { useState } from "preact/hooks";
import { ProgressBar } from "../shared/bar";
import { counted, shortName } from "../shared/format";
import type { BatchState, Failure, Running } from "./messages";
import { stepName } from "./words";

const RUNNING_AT_ONCE = 8;
const FAILURES_AT_FIRST = 5;

export function RunningList({ state }: { readonly state: BatchState }) {
  if (state.state === "finished") return null;
  const shown = state.running.slice(0, RUNNING_AT_ONCE);
  const more = state.running.length - shown.length + state.running_more;
  return (
    <section class="sf-section sf-running-now" aria-label="Running now">
      <h4 class="sf-title">Running now</h4>
      {shown.length === 0 && <p class="sf-quiet">Waiting for a free place.</p>}
      <ul class="sf-list">
        {shown.map((row) => (
          <RunningRow key={row.job_id} row={row} />
        ))}
      </ul>
      {more > 0 && <p class="sf-quiet">… and {counted(more, "more job")}</p>}
    </section>
  );
}

function RunningRow({ row }: { readonly row: Running }) {
  const name = shortName(row.name);
  const doing = [row.attempt > 1 ? `Attempt ${row.attempt}` : "", row.message].filter(Boolean).join(" · ");
  return (
    <li class="sf-job" data-job={row.job_id}>
      <span class="sf-job-name" title={row.name}>
        {name}
      </span>
      <span class="sf-job-step sf-quiet">{stepName(row.step)}</span>
      <ProgressBar label={`${stepName(row.step)} ${name}`} percent={Math.min(100, row.progress)} />
      <span class="sf-job-percent">{row.progress} %</span>
      <span class="sf-job-message sf-quiet" title={doing}>
        {doing}
      </span>
    </li>
  );
}

export function FailureList({ state }: { readonly state: BatchState }) {
  const [all, setAll] = useState(false);
  const total = state.failures.length + state.failures_more;
  if (total === 0) return null;
  const shown = all ? state.failures : state.failures.slice(0, FAILURES_AT_FIRST);
  return (
    <section class="sf-section" aria-label="Failed">
      <h4 class="sf-title">
        <span class="sf-key sf-failed" />
        Failed <span class="sf-quiet">{total.toLocaleString("en")}</span>
      </h4>
      <ul class="sf-list">
        {shown.map((failure, position) => (
          <FailureRow key={position} failure={failure} />
        ))}
      </ul>
      {state.failures.length > FAILURES_AT_FIRST && (
        <button type="button" class="sf-link" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show all ${state.failures.length}`}
        </button>
      )}
      {(all || state.failures.length <= FAILURES_AT_FIRST) && state.failures_more > 0 && (
        <p class="sf-quiet">
          … and {counted(state.failures_more, "more failure")}, see <code>batch.errors()</code>
        </p>
      )}
    </section>
  );
}

function FailureRow({ failure }: { readonly failure: Failure }) {
  return (
    <li class="sf-failure">
      <span class="sf-failure-name" title={failure.name}>
        {shortName(failure.name)}
      </span>
      {failure.step !== null && <span class="sf-quiet"> · {stepName(failure.step)}</span>}
      <span class="sf-failure-error">{failure.error}</span>
    </li>
  );
}
