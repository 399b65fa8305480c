// A question between a click and a deed that loses work. Staying is what Enter and Escape do.
import type { RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

export interface Asking {
  readonly asking: boolean;
  readonly ask: () => void;
  readonly settle: () => void;
  /** The button that asks: when the question is settled, whoever came by keyboard goes on where they were. */
  readonly button: RefObject<HTMLButtonElement | null>;
}

export function useAsking(): Asking {
  const [asking, setAsking] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const was = useRef(false);
  useLayoutEffect(() => {
    if (was.current && !asking) button.current?.focus();
    was.current = asking;
  }, [asking]);
  return { asking, ask: () => setAsking(true), settle: () => setAsking(false), button };
}

export function Question(props: {
  readonly label: string;
  readonly text: string;
  readonly no: string;
  readonly yes: string;
  readonly onNo: () => void;
  readonly onYes: () => void;
}) {
  const no = useRef<HTMLButtonElement>(null);
  // Before the next key arrives.
  useLayoutEffect(() => no.current?.focus(), []);
  return (
    <div
      class="sf-actions sf-question"
      role="alertdialog"
      aria-label={props.label}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        props.onNo();
      }}
    >
      <span>{props.text}</span>
      <span class="sf-buttons">
        <button type="button" class="sf-button" ref={no} onClick={props.onNo}>
          {props.no}
        </button>
        <button type="button" class="sf-button sf-danger" onClick={props.onYes}>
          {props.yes}
        </button>
      </span>
    </div>
  );
}
