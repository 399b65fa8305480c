// What the kernel told: synced state, apart from the state of the view alone. Pure: message in, state out.
import { ROW_IDS, type Change, type DashboardState, type KernelMessage } from "./messages";

export interface Synced {
  readonly state: DashboardState | null;
  /** The number of the last message that is in `state`. */
  readonly number: number;
  /** The kernel's clock at a moment of ours, both in seconds. */
  readonly clock: { readonly at: number; readonly heard: number } | null;
  readonly lost: { readonly sentence: string; readonly againSeconds: number } | null;
  /** For how long the application has not answered the kernel, in seconds. */
  readonly unansweredSeconds: number;
}

export const NOTHING: Synced = { state: null, number: 0, clock: null, lost: null, unansweredSeconds: 0 };

type StateMessage = Extract<KernelMessage, { number: number }>;

/** Take a message in. `missed` tells that one before it did not arrive, so that a snapshot is needed. */
export function receive(synced: Synced, message: StateMessage, heard: number): { synced: Synced; missed: boolean } {
  const clock = { at: message.at, heard };
  switch (message.type) {
    case "snapshot":
      return { synced: known(message.state, message.number, clock), missed: false };
    case "change":
      if (synced.state === null || message.number !== synced.number + 1) {
        return { synced: { ...synced, clock }, missed: message.number > synced.number };
      }
      return { synced: known(changed(synced.state, message), message.number, clock), missed: false };
    case "lost":
      return {
        synced: { ...synced, clock, lost: { sentence: message.sentence, againSeconds: message.again_seconds } },
        missed: false,
      };
    case "pulse":
      return { synced: { ...synced, clock, unansweredSeconds: message.unanswered_seconds }, missed: false };
  }
}

function known(state: DashboardState, number: number, clock: Synced["clock"]): Synced {
  return { state, number, clock, lost: null, unansweredSeconds: 0 };
}

function changed(state: DashboardState, message: Change): DashboardState {
  const merged: Record<string, unknown> = { ...state, ...message.parts };
  for (const [part, id] of Object.entries(ROW_IDS) as [keyof typeof ROW_IDS, string][]) {
    const rows = message.rows[part];
    if (rows !== undefined) merged[part] = inOrder(state[part], rows.order, rows.changed, id);
  }
  return merged as unknown as DashboardState;
}

type Row = Readonly<Record<string, unknown>>;

function inOrder(before: readonly Row[], order: readonly string[], fresh: readonly Row[], id: string): Row[] {
  const byId = new Map([...before, ...fresh].map((row) => [String(row[id]), row]));
  return order.flatMap((name): Row[] => {
    const row = byId.get(name);
    return row === undefined ? [] : [row];
  });
}

/** The kernel's time now, in seconds since 1970; ours differs where the machines do. */
export function kernelTime({ clock }: Synced, now: number): number {
  return clock === null ? Date.now() / 1000 : clock.at + Math.max(0, now - clock.heard);
}
