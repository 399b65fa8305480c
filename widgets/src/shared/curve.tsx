// A curve over time in SVG: it takes the colours of the page, and says at the pointer what it was.
import { useState } from "preact/hooks";
import { memo } from "./memo";
import { value } from "./format";

export interface Line {
  readonly label: string;
  /** [time in seconds since 1970, value], the oldest first. */
  readonly points: readonly (readonly [number, number])[];
  readonly faint?: boolean;
}

const WIDE = 320;
const HIGH = 84;
/** A gap longer than this is drawn as a gap. */
const GAP_SECONDS = 25;

export const Curve = memo(function Curve(props: {
  readonly label: string;
  readonly lines: readonly Line[];
  readonly unit: string;
  readonly from: number;
  readonly to: number;
}) {
  const { lines, from, to, unit } = props;
  const [pointed, setPointed] = useState<number | null>(null);
  const values = lines.flatMap((line) => line.points.filter(([at]) => at >= from).map(([, what]) => what));
  const top = nice(Math.max(...values, 0));
  const x = (at: number) => ((at - from) / Math.max(1, to - from)) * WIDE;
  const y = (what: number) => HIGH - 2 - (what / top) * (HIGH - 6);
  const at = pointed === null ? null : from + pointed * (to - from);
  const read = at === null ? null : lines.map((line) => nearest(line, at)).find((point) => point !== null) ?? null;
  return (
    <figure class="sf-curve">
      <div class="sf-curve-top sf-quiet">
        <span>{value(top, unit)}</span>
        <span>{read === null ? "" : `${new Date(read[0] * 1000).toLocaleTimeString()}  ${value(read[1], unit)}`}</span>
      </div>
      <svg
        viewBox={`0 0 ${WIDE} ${HIGH}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={props.label}
        onPointerMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          setPointed(Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)));
        }}
        onPointerLeave={() => setPointed(null)}
      >
        <path class="sf-curve-grid" d={`M0 ${HIGH - 2}H${WIDE}M0 ${y(top / 2)}H${WIDE}M0 4H${WIDE}`} />
        {lines.map((line, position) => {
          const pieces = joined(line.points.filter(([when]) => when >= from));
          const look = `sf-line-${position % 6}${line.faint ? " sf-line-faint" : ""}`;
          const at = ([when, what]: readonly [number, number]) => `${x(when).toFixed(1)} ${y(what).toFixed(1)}`;
          return (
            <g key={line.label} class={look}>
              <path class="sf-curve-line" d={pieces.filter((piece) => piece.length > 1).map((piece) => `M${piece.map(at).join("L")}`).join("")} />
              {/* A point without neighbours is a dot. */}
              <path class="sf-curve-dots" d={pieces.flatMap((piece) => (piece.length === 1 ? piece.map((one) => `M${at(one)}h0`) : [])).join("")} />
            </g>
          );
        })}
        {read !== null && <path class="sf-curve-cursor" d={`M${x(read[0])} 0V${HIGH}`} />}
      </svg>
    </figure>
  );
});

/** The pieces of a line between its gaps. */
export function joined(points: Line["points"]): (readonly [number, number])[][] {
  const pieces: (readonly [number, number])[][] = [];
  let before = Number.NEGATIVE_INFINITY;
  for (const point of points) {
    if (point[0] - before <= GAP_SECONDS) pieces.at(-1)?.push(point);
    else pieces.push([point]);
    before = point[0];
  }
  return pieces;
}

function nearest(line: Line, at: number): readonly [number, number] | null {
  let best: readonly [number, number] | null = null;
  for (const point of line.points) {
    if (best === null || Math.abs(point[0] - at) < Math.abs(best[0] - at)) best = point;
  }
  return best !== null && Math.abs(best[0] - at) <= GAP_SECONDS ? best : null;
}

/** The next round number above. */
export function nice(most: number): number {
  if (most <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [1, 2, 2.5, 5, 10].find((one) => one * power >= most * 0.9999) ?? 10;
  return step * power;
}
