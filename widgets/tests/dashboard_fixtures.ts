import type { DashboardState, Filters, Job, JobDetail, KernelMessage, Queue, Running } from "../src/dashboard/messages";

export const NO_FILTERS: Filters = { states: null, queue: null, kind: null, tag: null, words: null };

export function queue(name: string, part: Partial<Queue> = {}): Queue {
  const none = { waiting: 0, scheduled: 0, retryable: 0, running: 0, paused: false };
  return { queue: name, limit: 2, slots: 2, ended: [0, 0, 1], ...none, ...part };
}

export function running(id: string, part: Partial<Running> = {}): Running {
  return {
    job_id: id,
    kind: "separate_stems",
    queue: "processing",
    name: `/songs/${id}.wav`,
    progress: 10,
    message: "Segment 1 of 9",
    attempt: 1,
    started_at: 1000,
    dask_worker: "tls://127.0.0.1:1",
    pid: 42,
    memory_mb: 812,
    cancelling: false,
    ...part,
  };
}

export function dashboard(part: Partial<DashboardState> = {}): DashboardState {
  return {
    state: "live",
    tab: "jobs",
    read_only: false,
    version: "0.1.0",
    data_folder: "/data",
    actions: ["cancel", "retry"],
    states: { available: 3, scheduled: 0, executing: 1, retryable: 0, completed: 1200, discarded: 2, cancelled: 0 },
    queues: [queue("processing", { running: 1, waiting: 3 }), queue("analysis")],
    running: [running("one")],
    running_more: 0,
    tracks: [],
    tracks_more: 0,
    children: [{ name: "store", state: "running", restart: "permanent", restarts: 0, last_reason: "", since: 900 }],
    dask_workers: [],
    reconnected_at: null,
    revision: 1,
    measured_at: 1050,
    ...part,
  };
}

export function snapshot(number: number, part: Partial<DashboardState> = {}): KernelMessage & { type: "snapshot" } {
  return { type: "snapshot", number, at: 1060, state: dashboard(part) };
}

export function row(position: number, part: Partial<Job> = {}): Job {
  return {
    job_id: `job-${position}`,
    kind: "analyze_track",
    queue: "analysis",
    state: "completed",
    name: `/songs/take ${position}.flac`,
    tags: [],
    attempt: 1,
    max_attempts: 3,
    progress: 100,
    message: "",
    error: null,
    waits_for: 0,
    inserted_at: 1000,
    scheduled_at: 1000,
    started_at: 1001,
    ended_at: 1005,
    ...part,
  };
}

/** The page of a list of `total` rows that was asked for. */
export function page(request: string, total: number, offset: number, size = 100): KernelMessage & { type: "jobs" } {
  const rows = Array.from({ length: Math.max(0, Math.min(size, total - offset)) }, (_, n) => row(offset + n));
  return { type: "jobs", request, total, offset, rows, kinds: ["analyze_track"], tags: [] };
}

export function detail(part: Partial<JobDetail> = {}): JobDetail {
  return {
    job_id: "job-1",
    kind: "separate_stems",
    queue: "processing",
    state: "discarded",
    name: "/songs/Kite.flac",
    track: "Kite",
    batch_id: null,
    priority: 5,
    attempt: 1,
    max_attempts: 2,
    rescues: 0,
    progress: 40,
    message: "",
    tags: [],
    waits_for: 0,
    args: "{}",
    result: null,
    error: "Kite.flac ends in the middle of a frame.",
    inserted_at: 1000,
    scheduled_at: 1000,
    ended_at: 1020,
    attempts: [
      {
        attempt: 1,
        dask_worker: "tls://127.0.0.1:1",
        host: "vm",
        started_at: 1001,
        ended_at: 1020,
        outcome: "discarded",
        error: "Kite.flac ends in the middle of a frame.",
        details: [
          { name: "exit status", text: "-11" },
          { name: "stderr tail", text: "one\ntwo" },
        ],
      },
    ],
    parents: [],
    children: [],
    ...part,
  };
}
