// What the view says, so that the screen and a screen reader say the same.
import { ago, duration, shortName } from "../shared/format";
import type { DashboardState, JobState, Queue } from "./messages";

const KINDS: Readonly<Record<string, string>> = {
  download_track: "Download",
  separate_stems: "Separate",
  analyze_track: "Analyze",
  analyze_stems: "Analyze stems",
};

export function kindName(kind: string): string {
  const plain = kind.replaceAll("_", " ");
  return KINDS[kind] ?? plain.charAt(0).toUpperCase() + plain.slice(1);
}

/** A job as a person knows it: by its song, else by what it does. */
export function jobName(job: { readonly name: string | null; readonly kind: string }): string {
  return job.name === null || job.name === "" ? kindName(job.kind) : shortName(job.name);
}

export const STATE_NAMES: Readonly<Record<JobState, string>> = {
  available: "Available",
  scheduled: "Scheduled",
  executing: "Executing",
  retryable: "Retryable",
  completed: "Completed",
  discarded: "Discarded",
  cancelled: "Cancelled",
};

export function headline({ states }: DashboardState): string {
  const waiting = states.available + states.scheduled + states.retryable;
  const told = [`${states.executing.toLocaleString("en")} running`, `${waiting.toLocaleString("en")} waiting`];
  return told.join(", ");
}

export function isEmpty(states: DashboardState["states"]): boolean {
  return Object.values(states).every((jobs) => jobs === 0);
}

export function queueSentence(queue: Queue): string {
  const paused = queue.paused ? ", paused" : "";
  return `${queue.running} of ${queue.slots} running, ${queue.waiting} waiting${paused}`;
}

/** An answer that takes longer than this is said to be missing. */
const UNANSWERED_SECONDS = 2;
/** So long it is said that the connection was lost and came back. */
const REMEMBERED_SECONDS = 60;

/** That the application was away not long ago, or nothing. */
export function returned(reconnectedAt: number | null, now: number): string {
  if (reconnectedAt === null || now - reconnectedAt > REMEMBERED_SECONDS) return "";
  return `connected again ${ago(Math.max(0, now - reconnectedAt))}`;
}

/** What stands between the view and the truth, or null. */
export function trouble(
  lost: { readonly sentence: string; readonly againSeconds: number } | null,
  silent: boolean,
  unansweredSeconds: number,
): string | null {
  if (silent) {
    return "The kernel does not answer. If it was restarted, run the cell again (in Voilà: load the page again); the jobs go on without it.";
  }
  if (lost !== null) {
    return `Connection lost. ${lost.sentence} What is shown is old; trying again every ${duration(Math.max(1, lost.againSeconds))}.`;
  }
  if (unansweredSeconds >= UNANSWERED_SECONDS) {
    return `The application has not answered for ${Math.round(unansweredSeconds)} s. What is shown may be old.`;
  }
  return null;
}
