// The tracks that are worked on: one bar a track, a part of it for each step.
import { counted, shortName } from "../shared/format";
import { memo } from "../shared/memo";
import type { JobState, Track } from "./messages";
import { kindName, STATE_NAMES } from "./words";

/** As a song goes through the house; kinds of a person's own come after. */
const ORDER = ["download_track", "separate_stems", "analyze_track", "analyze_stems"];

export const Tracks = memo(function Tracks(props: { readonly tracks: readonly Track[]; readonly more: number }) {
  const total = props.tracks.length + props.more;
  if (total === 0) return null;
  return (
    <section class="sf-section" aria-label="Tracks under way">
      <h3 class="sf-title">
        Tracks under way <span class="sf-quiet">{total.toLocaleString("en")}</span>
      </h3>
      <ul class="sf-list sf-tracks" tabIndex={0} aria-label="Tracks and their steps">
        {props.tracks.map((track) => (
          <OneTrack key={track.track_id} track={track} />
        ))}
      </ul>
      {props.more > 0 && <p class="sf-quiet">… and {counted(props.more, "more track")}</p>}
    </section>
  );
});

const OneTrack = memo(function OneTrack({ track }: { readonly track: Track }) {
  const steps = [...track.steps].sort((one, other) => place(one.kind) - place(other.kind));
  const told = steps.map((step) => `${kindName(step.kind)}: ${stepWord(step.state, step.progress)}`).join(", ");
  const name = shortName(track.title || track.track_id);
  return (
    <li class="sf-track" data-track={track.track_id}>
      <span class="sf-track-name" title={track.title}>
        {name}
      </span>
      <span class="sf-pipeline" role="img" aria-label={`${name}: ${told}`}>
        {steps.map((step) => (
          <span key={step.kind} class={`sf-step-part sf-was-${step.state}`} title={`${kindName(step.kind)}: ${stepWord(step.state, step.progress)}`}>
            <span class="sf-step-fill sf-fill" style={{ transform: `scaleX(${filled(step.state, step.progress) / 100})` }} />
            <span class="sf-step-word">{kindName(step.kind)}</span>
          </span>
        ))}
      </span>
    </li>
  );
});

function place(kind: string): number {
  const known = ORDER.indexOf(kind);
  return known < 0 ? ORDER.length : known;
}

function filled(state: JobState, progress: number): number {
  if (state === "executing") return Math.min(100, progress);
  return state === "available" || state === "scheduled" || state === "retryable" ? 0 : 100;
}

function stepWord(state: JobState, progress: number): string {
  return state === "executing" ? `${progress} %` : STATE_NAMES[state].toLowerCase();
}
