// Every message between the dashboard and the kernel. This is the one definition: contract/dashboard.json is
// written from it, and the Python side is tested against that file.
import { count, list, number, object, oneOf, orNull, partial, text, truth, word, type Of } from "../shared/shape";

export const STATES = [
  "available",
  "scheduled",
  "executing",
  "retryable",
  "completed",
  "discarded",
  "cancelled",
] as const;
export type JobState = (typeof STATES)[number];
export const ACTIONS = ["cancel", "retry", "run_now", "pause_queue", "resume_queue", "scale_queue"] as const;
export type Action = (typeof ACTIONS)[number];
export const TABS = ["jobs", "metrics", "system"] as const;
export type Tab = (typeof TABS)[number];

const jobState = word(...STATES);

const queue = object({
  queue: text,
  limit: count,
  slots: count,
  paused: truth,
  running: count,
  waiting: count,
  scheduled: count,
  retryable: count,
  /** How many jobs ended in each of the last steps of five seconds, the current one last. */
  ended: list(count),
});

const running = object({
  job_id: text,
  kind: text,
  queue: text,
  name: text,
  progress: count,
  message: text,
  attempt: count,
  started_at: orNull(number),
  dask_worker: text,
  pid: orNull(count),
  memory_mb: orNull(count),
  cancelling: truth,
});

const track = object({
  track_id: text,
  title: text,
  steps: list(object({ kind: text, state: jobState, progress: count })),
});

const child = object({
  name: text,
  state: text,
  restart: text,
  restarts: count,
  last_reason: text,
  since: orNull(number),
});

const daskWorker = object({
  address: text,
  name: text,
  host: text,
  status: text,
  cores: count,
  gpus: count,
  memory_mb: count,
  since: orNull(number),
  slots: list(object({ queue: text, used: count, limit: count })),
});

/** Parts that travel whole where they changed. */
const parts = {
  state: text,
  tab: word(...TABS),
  read_only: truth,
  version: text,
  data_folder: text,
  actions: list(text),
  states: object({
    available: count,
    scheduled: count,
    executing: count,
    retryable: count,
    completed: count,
    discarded: count,
    cancelled: count,
  }),
  running_more: count,
  tracks_more: count,
  /** When the connection to the application last came back after a loss. */
  reconnected_at: orNull(number),
  /** Grows with every change of a job that is more than progress. */
  revision: count,
  measured_at: number,
};

/** Parts of which only the rows that changed travel, by the name of their rows' id. */
export const ROW_IDS = {
  queues: "queue",
  running: "job_id",
  tracks: "track_id",
  children: "name",
  dask_workers: "address",
} as const;

const rows = {
  queues: list(queue),
  running: list(running),
  tracks: list(track),
  children: list(child),
  dask_workers: list(daskWorker),
};

export const dashboardState = object({ ...parts, ...rows });

/** What every message about the state says: its number, and the kernel's clock (seconds since 1970). */
const told = { number: count, at: number };

export const snapshot = object({ type: word("snapshot"), ...told, state: dashboardState });

const changedRows = {
  queues: object({ order: list(text), changed: list(queue) }),
  running: object({ order: list(text), changed: list(running) }),
  tracks: object({ order: list(text), changed: list(track) }),
  children: object({ order: list(text), changed: list(child) }),
  dask_workers: object({ order: list(text), changed: list(daskWorker) }),
};

export const change = object({
  type: word("change"),
  ...told,
  parts: partial(parts),
  rows: partial(changedRows),
});

/** The answer to a heartbeat; for how long the application has been asked without an answer. */
export const pulse = object({ type: word("pulse"), ...told, unanswered_seconds: number });

export const lost = object({ type: word("lost"), ...told, sentence: text, again_seconds: number });

/** What became of an action. */
export const answer = object({ type: word("answer"), request: text, ok: truth, sentence: text });

const job = object({
  job_id: text,
  kind: text,
  queue: text,
  state: jobState,
  name: text,
  tags: list(text),
  attempt: count,
  max_attempts: count,
  progress: count,
  message: text,
  error: orNull(text),
  waits_for: count,
  inserted_at: orNull(number),
  scheduled_at: orNull(number),
  started_at: orNull(number),
  ended_at: orNull(number),
});

/** A page of the jobs that fit; what there is to filter by comes with the first page. */
export const jobs = object({
  type: word("jobs"),
  request: text,
  total: count,
  offset: count,
  rows: list(job),
  kinds: orNull(list(text)),
  tags: orNull(list(text)),
});

const attempt = object({
  attempt: count,
  dask_worker: orNull(text),
  host: orNull(text),
  started_at: orNull(number),
  ended_at: orNull(number),
  outcome: orNull(text),
  error: orNull(text),
  details: list(object({ name: text, text: text })),
});

const relative = object({ job_id: text, kind: text, state: jobState, name: orNull(text) });

export const jobDetail = object({
  job_id: text,
  kind: text,
  queue: text,
  state: jobState,
  name: text,
  track: orNull(text),
  batch_id: orNull(text),
  priority: count,
  attempt: count,
  max_attempts: count,
  rescues: count,
  progress: count,
  message: text,
  tags: list(text),
  waits_for: count,
  args: text,
  result: orNull(text),
  error: orNull(text),
  inserted_at: orNull(number),
  scheduled_at: orNull(number),
  ended_at: orNull(number),
  attempts: list(attempt),
  parents: list(relative),
  children: list(relative),
});

export const wholeJob = object({ type: word("job"), request: text, job: jobDetail });

const metric = object({
  name: text,
  kind: word("summary", "counter", "last_value"),
  unit: text,
  group: text,
  /** A point is [time, value], of a summary [time, median, 95th percentile, count]. */
  curves: list(object({ label: text, points: list(list(number)) })),
});

export const metrics = object({ type: word("metrics"), request: text, at: number, metrics: list(metric) });

/** A question that could not be answered. */
export const refused = object({ type: word("refused"), request: text, sentence: text });

export const kernelMessage = oneOf(snapshot, change, pulse, lost, answer, jobs, wholeJob, metrics, refused);

/** The heartbeat: this view is there, and has seen the message of that number. */
export const watch = object({ type: word("watch"), view: text, seen: count });

export const leave = object({ type: word("leave"), view: text });

export const filters = object({
  states: orNull(list(jobState)),
  queue: orNull(text),
  kind: orNull(text),
  tag: orNull(text),
  words: orNull(text),
});

export const askJobs = object({ type: word("ask_jobs"), request: text, filters, offset: count, size: count });

export const askJob = object({ type: word("ask_job"), request: text, job_id: text });

export const askMetrics = object({ type: word("ask_metrics"), request: text, since: number });

export const act = object({
  type: word("act"),
  request: text,
  action: word(...ACTIONS),
  /** Job ids, or the name of a queue. */
  targets: list(text),
  limit: orNull(count),
});

export const viewMessage = oneOf(watch, leave, askJobs, askJob, askMetrics, act);

export type DashboardState = Of<typeof dashboardState>;
export type Queue = Of<typeof queue>;
export type Running = Of<typeof running>;
export type Track = Of<typeof track>;
export type Child = Of<typeof child>;
export type DaskWorker = Of<typeof daskWorker>;
export type Job = Of<typeof job>;
export type JobDetail = Of<typeof jobDetail>;
export type Attempt = Of<typeof attempt>;
export type Relative = Of<typeof relative>;
export type Metric = Of<typeof metric>;
export type Filters = Of<typeof filters>;
export type Jobs = Of<typeof jobs>;
export type Metrics = Of<typeof metrics>;
export type KernelMessage = Of<typeof kernelMessage>;
export type Change = Of<typeof change>;
export type Reply = Extract<KernelMessage, { request: string }>;
export type ViewMessage = Of<typeof viewMessage>;
