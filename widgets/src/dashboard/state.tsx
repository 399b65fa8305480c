// A state of a job: a mark with a shape and a colour of its own, and its word.
import type { JobState } from "./messages";
import { STATE_NAMES } from "./words";

export function StateMark(props: { readonly state: JobState }) {
  return (
    <span class="sf-state">
      <StateKey state={props.state} />
      {STATE_NAMES[props.state]}
    </span>
  );
}

export function StateKey(props: { readonly state: JobState }) {
  return <span class={`sf-state-key sf-is-${props.state}`} aria-hidden="true" />;
}
