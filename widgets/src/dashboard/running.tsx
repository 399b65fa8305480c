// What runs now. Names and messages are strangers' text: text, never markup.
import { ProgressBar } from "../shared/bar";
import { counted, duration } from "../shared/format";
import { memo } from "../shared/memo";
import { Question, useAsking } from "../shared/question";
import { useKernelTime } from "./hooks";
import type { Running } from "./messages";
import type { Session } from "./session";
import { jobName, kindName } from "./words";

export const RunningJobs = memo(function RunningJobs(props: {
  readonly session: Session;
  readonly running: readonly Running[];
  readonly more: number;
  readonly mayCancel: boolean;
  readonly onOpen: (jobId: string) => void;
}) {
  const now = useKernelTime(props.session);
  const total = props.running.length + props.more;
  return (
    <section class="sf-section sf-running-now" aria-label="Running now">
      <h3 class="sf-title">
        Running now <span class="sf-quiet">{total > 0 ? total.toLocaleString("en") : ""}</span>
      </h3>
      {total === 0 && <p class="sf-quiet">Nothing runs at the moment.</p>}
      <ul class="sf-list sf-runs" tabIndex={total > 0 ? 0 : undefined} aria-label="Running jobs">
        {props.running.map((job) => (
          <OneJob key={job.job_id} job={job} now={now} session={props.session} mayCancel={props.mayCancel} onOpen={props.onOpen} />
        ))}
      </ul>
      {props.more > 0 && <p class="sf-quiet">… and {counted(props.more, "more job")}</p>}
    </section>
  );
});

function OneJob(props: {
  readonly session: Session;
  readonly job: Running;
  readonly now: number;
  readonly mayCancel: boolean;
  readonly onOpen: (jobId: string) => void;
}) {
  const { job, session } = props;
  const { asking, ask, settle, button } = useAsking();
  const name = jobName(job);
  const doing = [job.attempt > 1 ? `Attempt ${job.attempt}` : "", job.cancelling ? "being cancelled" : job.message];
  const where = [job.pid === null ? "" : `pid ${job.pid}`, job.memory_mb === null ? "" : `${job.memory_mb.toLocaleString("en")} MB`];
  return (
    <li class="sf-run" data-job={job.job_id}>
      <span class="sf-run-what">
        <button type="button" class="sf-name" title={job.name || job.job_id} onClick={() => props.onOpen(job.job_id)}>
          {name}
        </button>
        <span class="sf-quiet">{kindName(job.kind)}</span>
      </span>
      <ProgressBar label={`${kindName(job.kind)} ${name}`} percent={Math.min(100, job.progress)} />
      <span class="sf-number">{job.progress} %</span>
      <span class="sf-run-age sf-number sf-quiet">{job.started_at === null ? "starting" : duration(Math.max(0, props.now - job.started_at))}</span>
      <span class="sf-run-more sf-quiet" title={doing.filter(Boolean).join(" · ")}>
        {doing.filter(Boolean).join(" · ")}
      </span>
      <span class="sf-run-where sf-quiet" title={`Dask worker ${job.dask_worker}`}>
        {where.filter(Boolean).join(" · ")}
      </span>
      {props.mayCancel && (
        <button type="button" class="sf-button sf-small sf-run-cancel" aria-label={`Cancel ${name}`} ref={button} disabled={job.cancelling} aria-expanded={asking} onClick={ask}>
          Cancel
        </button>
      )}
      {asking && (
        <Question
          label={`Cancel ${name}`}
          text="Stop this job? What it has done so far is lost, and what waits for it is cancelled too."
          no="Keep going"
          yes="Cancel it"
          onNo={settle}
          onYes={() => {
            settle();
            session.act("cancel", [job.job_id]);
          }}
        />
      )}
    </li>
  );
}
