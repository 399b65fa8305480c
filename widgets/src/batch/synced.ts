// What the kernel told: synced state, apart from the state of the view alone. Pure: message in, state out.
import type { BatchState, Change, KernelMessage, Running } from "./messages";

export interface Synced {
  readonly state: BatchState | null;
  /** The number of the last message that is in `state`. */
  readonly number: number;
  /** The kernel's clock at a moment of ours, both in seconds. */
  readonly clock: { readonly at: number; readonly heard: number } | null;
  readonly lost: string | null;
  /** For how long the application has not answered the kernel, in seconds. */
  readonly unansweredSeconds: number;
}

export const NOTHING: Synced = { state: null, number: 0, clock: null, lost: null, unansweredSeconds: 0 };

type StateMessage = Exclude<KernelMessage, { type: "answer" }>;

/** Take a message in. `missed` tells that one before it did not arrive, so that a snapshot is needed. */
export function receive(synced: Synced, message: StateMessage, heard: number): { synced: Synced; missed: boolean } {
  const clock = { at: message.at, heard };
  switch (message.type) {
    case "snapshot":
      return {
        synced: { state: message.state, number: message.number, clock, lost: null, unansweredSeconds: 0 },
        missed: false,
      };
    case "change": {
      if (synced.state === null || message.number !== synced.number + 1) {
        return { synced: { ...synced, clock }, missed: message.number > synced.number };
      }
      const state = changed(synced.state, message);
      return {
        synced: { state, number: message.number, clock, lost: null, unansweredSeconds: 0 },
        missed: false,
      };
    }
    case "lost":
      return { synced: { ...synced, clock, lost: message.sentence }, missed: false };
    case "pulse":
      return { synced: { ...synced, clock, unansweredSeconds: message.unanswered_seconds }, missed: false };
  }
}

function changed(state: BatchState, message: Change): BatchState {
  const rows = message.rows.running;
  const running = rows === undefined ? state.running : merged(state.running, rows.order, rows.changed);
  return { ...state, ...(message.parts as Partial<BatchState>), running };
}

function merged(before: readonly Running[], order: readonly string[], fresh: readonly Running[]): Running[] {
  const known = new Map([...before, ...fresh].map((row) => [row.job_id, row]));
  return order.flatMap((id) => known.get(id) ?? []);
}

/** How long the batch has taken so far, in seconds of the kernel's clock. */
export function elapsedSeconds({ state, clock }: Synced, now: number): number | null {
  if (state === null || state.started_at === null) return null;
  const end = state.finished_at ?? (clock === null ? null : clock.at + Math.max(0, now - clock.heard));
  return end === null ? null : Math.max(0, end - state.started_at);
}
