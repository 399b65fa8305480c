// Bars: one of a whole, and one of parts.

export interface Part {
  readonly name: string;
  readonly share: number;
}

export function ProgressBar(props: { readonly label: string; readonly percent: number }) {
  return (
    <div
      class="sf-bar"
      role="progressbar"
      aria-label={props.label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={props.percent}
      aria-valuetext={`${props.percent} percent`}
    >
      <span class="sf-part sf-fill sf-running" style={{ transform: `scaleX(${props.percent / 100})` }} />
    </div>
  );
}

/** Parts of a whole side by side; what is left stays ground. */
export function PartsBar(props: {
  readonly label: string;
  readonly valueText: string;
  readonly percent: number;
  readonly total: number;
  readonly parts: readonly Part[];
  readonly large?: boolean;
}) {
  return (
    <div
      class={`sf-bar sf-bar-parts${props.large ? " sf-bar-large" : ""}`}
      role="progressbar"
      aria-label={props.label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={props.percent}
      aria-valuetext={props.valueText}
    >
      {props.parts.map((part) => (
        <span
          key={part.name}
          class={`sf-part sf-${part.name}${part.share > 0 ? "" : " sf-none"}`}
          style={{ width: `${(100 * part.share) / Math.max(1, props.total)}%` }}
        />
      ))}
    </div>
  );
}
