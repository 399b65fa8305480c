// One job in full: what it was asked, each attempt with its error, what it waited for and what waits for it.
import { useEffect, useRef, useState } from "preact/hooks";
import { clock, exact, sameDay, shortName, span } from "../shared/format";
import { Question, useAsking } from "../shared/question";
import type { Attempt, JobDetail, Relative } from "./messages";
import type { Session } from "./session";
import { StateMark } from "./state";
import { jobName, kindName } from "./words";

/** As much as stands beside its name. */
const SHORT = 48;
const UNFINISHED = new Set(["available", "scheduled", "executing", "retryable"]);

export function JobPanel(props: {
  readonly session: Session;
  readonly jobId: string;
  readonly revision: number;
  readonly actions: readonly string[];
  readonly onOpen: (jobId: string) => void;
  readonly onWords: (words: string) => void;
  readonly onClose: () => void;
}) {
  const { session, jobId } = props;
  const [job, setJob] = useState<JobDetail | null>(null);
  const [refused, setRefused] = useState<string | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    let wanted = true;
    void session.askJob(jobId).then((reply) => {
      if (!wanted) return;
      if (reply.type === "job") setJob(reply.job);
      setRefused(reply.type === "refused" ? reply.sentence : null);
    });
    return () => {
      wanted = false;
    };
  }, [session, jobId, props.revision]);
  useEffect(() => heading.current?.focus(), [jobId]);
  const shown = job?.job_id === jobId ? job : null;
  return (
    <section
      class="sf-section sf-detail"
      aria-label="Job"
      onKeyDown={(event) => {
        if (event.key === "Escape") props.onClose();
      }}
    >
      <header class="sf-detail-head">
        <h3 class="sf-title" tabIndex={-1} ref={heading}>
          {shown === null ? "Job" : jobName(shown)}
        </h3>
        <button type="button" class="sf-button sf-small" onClick={props.onClose}>
          Close
        </button>
      </header>
      {refused !== null && <p class="sf-trouble">{refused}</p>}
      {shown === null ? refused === null && <p class="sf-quiet">Reading the job…</p> : <Whole {...props} job={shown} />}
    </section>
  );
}

function Whole(props: {
  readonly session: Session;
  readonly job: JobDetail;
  readonly actions: readonly string[];
  readonly onOpen: (jobId: string) => void;
  readonly onWords: (words: string) => void;
}) {
  const { job } = props;
  const track = job.track;
  return (
    <>
      <p>
        <StateMark state={job.state} /> <span class="sf-quiet">{kindName(job.kind)} · queue {job.queue} · try {job.attempt} of {job.max_attempts} · priority {job.priority}</span>
      </p>
      <JobActions session={props.session} job={job} actions={props.actions} />
      {/* The last attempt tells it already. */}
      {job.error !== null && job.error !== job.attempts.at(-1)?.error && <p class="sf-fault">{job.error}</p>}
      {track !== null && (
        <p>
          <span class="sf-quiet">Track</span> <button type="button" class="sf-link" onClick={() => props.onWords(track)}>{track}</button>
        </p>
      )}
      <Timeline job={job} />
      {job.attempts.map((attempt, position) => (
        <OneAttempt key={attempt.attempt} attempt={attempt} open={position === job.attempts.length - 1} />
      ))}
      <Relatives title="Waited for" relatives={job.parents} onOpen={props.onOpen} />
      <Relatives title="Waiting for this" relatives={job.children} onOpen={props.onOpen} />
      <Fold title="Arguments" text={job.args} />
      {job.result !== null && <Fold title="Result" text={job.result} />}
      <p class="sf-quiet sf-id">
        {job.job_id}
        {job.batch_id !== null && ` · batch ${job.batch_id}`}
      </p>
    </>
  );
}

function JobActions(props: { readonly session: Session; readonly job: JobDetail; readonly actions: readonly string[] }) {
  const { session, job, actions } = props;
  const { asking, ask, settle, button } = useAsking();
  const act = (action: "cancel" | "retry" | "run_now") => session.act(action, [job.job_id]);
  const may = {
    cancel: actions.includes("cancel") && UNFINISHED.has(job.state),
    retry: actions.includes("retry") && (job.state === "discarded" || job.state === "cancelled"),
    run_now: actions.includes("run_now") && (job.state === "retryable" || (job.state === "scheduled" && job.waits_for === 0)),
  };
  if (asking && may.cancel) {
    return (
      <Question
        label="Cancel this job"
        text="Stop this job? What it has done so far is lost, and what waits for it is cancelled too."
        no="Keep going"
        yes="Cancel it"
        onNo={settle}
        onYes={() => {
          settle();
          act("cancel");
        }}
      />
    );
  }
  if (!may.cancel && !may.retry && !may.run_now) return null;
  return (
    <div class="sf-buttons">
      {may.retry && (
        <button type="button" class="sf-button sf-small" onClick={() => act("retry")}>
          Try again
        </button>
      )}
      {may.run_now && (
        <button type="button" class="sf-button sf-small" onClick={() => act("run_now")}>
          Run now
        </button>
      )}
      {may.cancel && (
        <button type="button" class="sf-button sf-small" ref={button} onClick={ask}>
          Cancel job
        </button>
      )}
    </div>
  );
}

function Timeline({ job }: { readonly job: JobDetail }) {
  const moments: [string, number][] = [];
  if (job.inserted_at !== null) moments.push(["Inserted", job.inserted_at]);
  if (job.state === "scheduled" && job.waits_for === 0 && job.scheduled_at !== null) moments.push(["Due", job.scheduled_at]);
  for (const attempt of job.attempts) {
    if (attempt.started_at !== null) moments.push([`Attempt ${attempt.attempt} began`, attempt.started_at]);
    if (attempt.ended_at !== null) moments.push([`Attempt ${attempt.attempt} ended`, attempt.ended_at]);
  }
  if (job.state === "retryable" && job.scheduled_at !== null) moments.push(["Next try", job.scheduled_at]);
  return (
    <ol class="sf-timeline" aria-label="Timeline">
      {moments.map(([what, at], position) => {
        const before = moments[position - 1]?.[1];
        return (
          <li key={what}>
            <span>{what}</span>
            <time class="sf-quiet" dateTime={new Date(at * 1000).toISOString()} title={exact(at)}>
              {before !== undefined && sameDay(before, at) ? clock(at) : exact(at)}
            </time>
            <span class="sf-quiet sf-number">{before === undefined ? "" : `+ ${span(at - before)}`}</span>
          </li>
        );
      })}
    </ol>
  );
}

function OneAttempt({ attempt, open }: { readonly attempt: Attempt; readonly open: boolean }) {
  const took = attempt.started_at !== null && attempt.ended_at !== null ? `, ${span(attempt.ended_at - attempt.started_at)}` : "";
  return (
    <details class="sf-fold" open={open}>
      <summary>
        Attempt {attempt.attempt}: {attempt.outcome ?? "under way"}
        <span class="sf-quiet">
          {took} on {attempt.host ?? "an unknown host"}
        </span>
      </summary>
      {attempt.error !== null && <p class="sf-fault">{attempt.error}</p>}
      {attempt.details.map(({ name, text }) => (
        <div key={name} class="sf-said">
          <span class="sf-quiet">{name}</span>
          {isShort(text) ? <code>{text}</code> : <pre tabIndex={0} aria-label={name}>{text}</pre>}
        </div>
      ))}
    </details>
  );
}

function isShort(text: string): boolean {
  return text.length <= SHORT && !text.includes("\n");
}

function Fold(props: { readonly title: string; readonly text: string }) {
  return (
    <details class="sf-fold">
      <summary>{props.title}</summary>
      <pre tabIndex={0} aria-label={props.title}>{props.text}</pre>
    </details>
  );
}

function Relatives(props: {
  readonly title: string;
  readonly relatives: readonly Relative[];
  readonly onOpen: (jobId: string) => void;
}) {
  if (props.relatives.length === 0) return null;
  return (
    <div class="sf-relatives">
      <span class="sf-quiet">{props.title}</span>
      <ul class="sf-list">
        {props.relatives.map((relative) => (
          <li key={relative.job_id}>
            <button type="button" class="sf-link" onClick={() => props.onOpen(relative.job_id)}>
              {kindName(relative.kind)} {shortName(relative.name ?? "")}
            </button>{" "}
            <StateMark state={relative.state} />
          </li>
        ))}
      </ul>
    </div>
  );
}
