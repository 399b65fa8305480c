import type { BatchState, KernelMessage, Running } from "../src/batch/messages";

export const EVIL = "<img src=x onerror=alert(1)>";

export function running(id: string, part: Partial<Running> = {}): Running {
  return { job_id: id, name: `/songs/${id}.wav`, step: "analyze", progress: 10, message: "Listening", attempt: 1, ...part };
}

export function batch(part: Partial<BatchState> = {}): BatchState {
  return {
    batch_id: "b1",
    state: "running",
    percent: 40,
    inputs: { total: 4, done: 1, failed: 0, under_way: 3 },
    steps: [{ step: "analyze", done: 1, reused: 0, failed: 0, running: 2, waiting: 1 }],
    running: [running("one"), running("two", { progress: 55 })],
    running_more: 0,
    failures: [],
    failures_more: 0,
    retryable: 0,
    started_at: 1000,
    finished_at: null,
    ...part,
  };
}

export function snapshot(number: number, part: Partial<BatchState> = {}): KernelMessage & { type: "snapshot" } {
  return { type: "snapshot", number, at: 1060, state: batch(part) };
}

export const FINISHED: Partial<BatchState> = {
  state: "finished",
  percent: 100,
  inputs: { total: 4, done: 3, failed: 1, under_way: 0 },
  steps: [{ step: "analyze", done: 3, reused: 0, failed: 1, running: 0, waiting: 0 }],
  running: [],
  failures: [{ name: "/songs/broken.wav", step: "analyze", error: "broken.wav is not audio. Check what it is." }],
  retryable: 1,
  finished_at: 1075,
};

type Listener = (content: unknown) => void;

/** A host that keeps what the view sends, and lets a test speak for the kernel. */
export class FakeHost {
  readonly sent: Array<Record<string, unknown>> = [];
  readonly listeners = new Set<Listener>();

  send(content: unknown): void {
    this.sent.push(content as Record<string, unknown>);
  }

  on(_event: "msg:custom", listener: Listener): void {
    this.listeners.add(listener);
  }

  off(_event: "msg:custom", listener: Listener): void {
    this.listeners.delete(listener);
  }

  tell(content: unknown): void {
    for (const listener of this.listeners) listener(content);
  }

  of(type: string): Array<Record<string, unknown>> {
    return this.sent.filter((message) => message["type"] === type);
  }
}
