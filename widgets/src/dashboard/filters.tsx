// What of the jobs is shown. Every filter is answered by the store, over all jobs.
import { useEffect, useRef, useState } from "preact/hooks";
import type { DashboardState, Filters, JobState } from "./messages";
import { STATES } from "./messages";
import { StateKey } from "./state";
import { kindName, STATE_NAMES } from "./words";

/** So long after the last key the store is asked. */
const TYPING_MS = 250;

export function FilterBar(props: {
  readonly filters: Filters;
  readonly states: DashboardState["states"];
  readonly queues: readonly string[];
  readonly kinds: readonly string[];
  readonly tags: readonly string[];
  readonly onFilter: (filters: Filters) => void;
}) {
  const { filters, onFilter } = props;
  const chosen = new Set(filters.states ?? []);
  const toggle = (state: JobState) => {
    const next = new Set(chosen);
    if (!next.delete(state)) next.add(state);
    onFilter({ ...filters, states: next.size === 0 ? null : STATES.filter((known) => next.has(known)) });
  };
  return (
    <div class="sf-filters" role="search" aria-label="Filter the jobs">
      <div class="sf-chips" role="group" aria-label="State">
        {STATES.map((state) => (
          <button
            key={state}
            type="button"
            class="sf-chip"
            data-state={state}
            aria-pressed={chosen.has(state)}
            onClick={() => toggle(state)}
          >
            <StateKey state={state} />
            {STATE_NAMES[state]} <span class={props.states[state] > 0 ? "" : "sf-zero"}>{props.states[state].toLocaleString("en")}</span>
          </button>
        ))}
      </div>
      <div class="sf-selects">
        <Choice label="Queue" all="All queues" chosen={filters.queue} words={props.queues} onChoose={(queue) => onFilter({ ...filters, queue })} />
        <Choice label="Kind" all="All kinds" chosen={filters.kind} words={props.kinds} say={kindName} onChoose={(kind) => onFilter({ ...filters, kind })} />
        {(props.tags.length > 0 || filters.tag !== null) && (
          <Choice label="Tag" all="All tags" chosen={filters.tag} words={props.tags} onChoose={(tag) => onFilter({ ...filters, tag })} />
        )}
        <Words words={filters.words ?? ""} onWords={(words) => onFilter({ ...filters, words: words === "" ? null : words })} />
      </div>
    </div>
  );
}

function Choice(props: {
  readonly label: string;
  readonly all: string;
  readonly chosen: string | null;
  readonly words: readonly string[];
  readonly say?: (word: string) => string;
  readonly onChoose: (word: string | null) => void;
}) {
  const words = props.chosen !== null && !props.words.includes(props.chosen) ? [props.chosen, ...props.words] : props.words;
  return (
    <select
      class="sf-select"
      aria-label={props.label}
      value={props.chosen ?? ""}
      onChange={(event) => props.onChoose(event.currentTarget.value === "" ? null : event.currentTarget.value)}
    >
      <option value="">{props.all}</option>
      {words.map((word) => (
        <option key={word} value={word}>
          {props.say?.(word) ?? word}
        </option>
      ))}
    </select>
  );
}

function Words(props: { readonly words: string; readonly onWords: (words: string) => void }) {
  const [typed, setTyped] = useState(props.words);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => setTyped(props.words), [props.words]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const later = (words: string) => {
    setTyped(words);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => props.onWords(words.trim()), TYPING_MS);
  };
  return (
    <input
      class="sf-search"
      type="search"
      aria-label="Text in song, error, arguments or id"
      placeholder="Song, error, argument, id …"
      value={typed}
      onInput={(event) => later(event.currentTarget.value)}
    />
  );
}
