// What the view says, so that the screen and a screen reader say the same.
import { counted } from "../shared/format";
import { STATUSES, type BatchState, type Step } from "./messages";

const STEPS: Readonly<Record<string, string>> = {
  separate: "Separate",
  analyze: "Analyze",
  analyze_stems: "Analyze stems",
};

export function stepName(step: string): string {
  return STEPS[step] ?? step;
}

export function headline({ inputs }: BatchState): string {
  return `${inputs.done.toLocaleString("en")} of ${counted(inputs.total, "track")} done`;
}

export function stepSentence(step: Step): string {
  const told = STATUSES.filter((status) => step[status] > 0).map((status) => `${step[status]} ${status}`);
  return told.join(", ") || "nothing to do";
}

/** What is worth saying aloud when one state follows another; empty for mere progress. */
export function announcement(before: BatchState | null, after: BatchState | null): string {
  if (after === null || before === null) return "";
  if (after.state !== before.state) {
    if (after.state !== "finished") return "The batch goes on.";
    const failed = after.inputs.failed > 0 ? `, ${after.inputs.failed} failed` : "";
    return `Finished: ${headline(after)}${failed}.`;
  }
  const more = after.inputs.failed - before.inputs.failed;
  return more > 0 ? `${counted(more, "more track")} failed.` : "";
}

/** What stands between the view and the truth, or null. */
export function trouble(lost: string | null, silent: boolean, unansweredSeconds: number): string | null {
  if (silent) {
    return "The kernel does not answer. If it was restarted, run the cell again; the jobs go on without it.";
  }
  if (lost !== null) return `Connection lost. ${lost} (This view keeps trying.)`;
  if (unansweredSeconds >= 5) {
    return `The application has not answered for ${Math.round(unansweredSeconds)} s.`;
  }
  return null;
}
