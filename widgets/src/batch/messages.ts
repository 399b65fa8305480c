// Every message between the view of a batch and the kernel. This is the one definition: contract/batch.json
// is written from it, and the Python side is tested against that file.
import { count, list, number, object, oneOf, orNull, partial, text, truth, word, type Of } from "../shared/shape";

export const STATUSES = ["done", "reused", "failed", "running", "waiting"] as const;
export type Status = (typeof STATUSES)[number];
export const ACTIONS = ["cancel", "retry"] as const;
export type Action = (typeof ACTIONS)[number];

const inputs = object({ total: count, done: count, failed: count, under_way: count });

const step = object({
  step: text,
  done: count,
  reused: count,
  failed: count,
  running: count,
  waiting: count,
});

const running = object({
  job_id: text,
  name: text,
  step: text,
  progress: count,
  message: text,
  attempt: count,
});

const failure = object({ name: text, step: orNull(text), error: text });

/** Parts that travel whole where they changed. */
const parts = {
  batch_id: text,
  state: text,
  percent: count,
  inputs,
  steps: list(step),
  running_more: count,
  failures: list(failure),
  failures_more: count,
  retryable: count,
  started_at: orNull(number),
  finished_at: orNull(number),
};

export const batchState = object({ ...parts, running: list(running) });

/** What every message of the kernel says: its number, and the kernel's clock (seconds since 1970). */
const told = { number: count, at: number };

export const snapshot = object({ type: word("snapshot"), ...told, state: batchState });

export const change = object({
  type: word("change"),
  ...told,
  parts: partial(parts),
  rows: partial({ running: object({ order: list(text), changed: list(running) }) }),
});

/** The answer to a heartbeat; for how long the application has been asked without an answer. */
export const pulse = object({ type: word("pulse"), ...told, unanswered_seconds: number });

export const lost = object({ type: word("lost"), ...told, sentence: text, again_seconds: number });

export const answer = object({ type: word("answer"), request: text, ok: truth, sentence: text });

export const kernelMessage = oneOf(snapshot, change, pulse, lost, answer);

/** The heartbeat: this view is there, and has seen the message of that number. */
export const watch = object({ type: word("watch"), view: text, seen: count });

export const leave = object({ type: word("leave"), view: text });

export const act = object({ type: word("act"), request: text, action: word(...ACTIONS) });

export const viewMessage = oneOf(watch, leave, act);

export type BatchState = Of<typeof batchState>;
export type Step = Of<typeof step>;
export type Running = Of<typeof running>;
export type Failure = Of<typeof failure>;
export type KernelMessage = Of<typeof kernelMessage>;
export type Change = Of<typeof change>;
export type Answer = Of<typeof answer>;
export type ViewMessage = Of<typeof viewMessage>;
