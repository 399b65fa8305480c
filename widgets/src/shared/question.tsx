// A question between a click and a deed that loses work. Staying is what Enter and Escape do.
import { useLayoutEffect, useRef } from "preact/hooks";

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
