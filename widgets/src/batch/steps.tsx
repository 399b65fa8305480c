// Each step of the batch: a bar of what became of its jobs, and the counts in columns.
import { PartsBar } from "../shared/bar";
import { STATUSES, type Status, type Step } from "./messages";
import { stepName, stepSentence } from "./words";

const IN_BAR: readonly Status[] = ["done", "reused", "failed", "running"];

export function Steps({ steps }: { readonly steps: readonly Step[] }) {
  if (steps.length === 0) return null;
  return (
    <div class="sf-steps">
      <div class="sf-step sf-heads" aria-hidden="true">
        <span />
        <span />
        {STATUSES.map((status) => (
          <span key={status} class="sf-count">
            <Key status={status} />
            {status}
          </span>
        ))}
      </div>
      {steps.map((step) => (
        <OneStep key={step.step} step={step} />
      ))}
    </div>
  );
}

function OneStep({ step }: { readonly step: Step }) {
  const total = STATUSES.reduce((sum, status) => sum + step[status], 0);
  const ended = step.done + step.reused + step.failed;
  return (
    <div class="sf-step" data-step={step.step}>
      <span class="sf-step-name">{stepName(step.step)}</span>
      <PartsBar
        label={stepName(step.step)}
        valueText={`${ended} of ${total} ended: ${stepSentence(step)}`}
        percent={total === 0 ? 100 : Math.floor((100 * ended) / total)}
        total={total}
        parts={IN_BAR.map((status) => ({ name: status, share: step[status] }))}
      />
      {STATUSES.map((status) => (
        <span
          key={status}
          class={`sf-count${step[status] > 0 ? "" : " sf-zero"}`}
          data-status={status}
          aria-hidden="true"
        >
          <Key status={status} />
          {step[status].toLocaleString("en")}
          <span class="sf-count-name"> {status}</span>
        </span>
      ))}
    </div>
  );
}

function Key({ status }: { readonly status: Status }) {
  return <span class={`sf-key sf-${status}`} />;
}
