// Everything that is measured, with its past: what the application kept, and what came since.
import { useEffect, useState } from "preact/hooks";
import { Curve, type Line } from "../shared/curve";
import { value } from "../shared/format";
import { memo } from "../shared/memo";
import { useLatest } from "./hooks";
import type { Metric, Metrics } from "./messages";
import type { Session } from "./session";

const HOUR_SECONDS = 3600;
const LEAST_SECONDS = 120;
const RANGES = [
  ["15 min", 900],
  ["1 h", HOUR_SECONDS],
] as const;
/** More curves than this in one picture can't be told apart. */
const LINES = 5;
/** What a picture takes at least, with its gap. */
const METRIC_PX = 264;

export const MetricsPanel = memo(function MetricsPanel(props: { readonly session: Session; readonly measuredAt: number }) {
  const { session, measuredAt } = props;
  const [kept, setKept] = useState<Pick<Metrics, "at" | "metrics"> | null>(null);
  const [refused, setRefused] = useState<string | null>(null);
  const [seconds, setSeconds] = useState<number>(900);
  const latest = useLatest(kept);
  useEffect(() => {
    let wanted = true;
    // An application that was started anew has a past of its own.
    const before = latest.current !== null && latest.current.at <= measuredAt ? latest.current : null;
    void session.askMetrics(before?.at ?? 0).then((reply) => {
      if (!wanted) return;
      if (reply.type === "metrics") setKept(joined(before, reply));
      setRefused(reply.type === "refused" ? reply.sentence : null);
    });
    return () => {
      wanted = false;
    };
  }, [session, measuredAt]);
  if (kept === null) return <p class={refused === null ? "sf-quiet" : "sf-trouble"}>{refused ?? "Reading the curves…"}</p>;
  // An application that has just begun fills the picture too.
  const from = Math.max(kept.at - seconds, Math.min(oldest(kept.metrics), kept.at - LEAST_SECONDS));
  const groups = [...new Set(kept.metrics.map((metric) => metric.group))];
  const unmeasured = kept.metrics.filter((metric) => metric.curves.every((curve) => curve.points.length === 0));
  return (
    <>
      <div class="sf-range" role="group" aria-label="How far back">
        {RANGES.map(([label, range]) => (
          <button key={label} type="button" class="sf-chip" aria-pressed={range === seconds} onClick={() => setSeconds(range)}>
            {label}
          </button>
        ))}
        <span class="sf-quiet">A point every ten seconds; the application keeps an hour.</span>
      </div>
      <div class="sf-groups">
      {groups.map((group) => (
        <Group
          key={group}
          group={group}
          metrics={kept.metrics.filter((metric) => metric.group === group && !unmeasured.includes(metric))}
          from={from}
          to={kept.at}
        />
      ))}
      </div>
      {unmeasured.length > 0 && (
        <p class="sf-quiet sf-unmeasured">Not seen yet: {unmeasured.map((metric) => metric.name).join(", ")}</p>
      )}
    </>
  );
});

function Group(props: { readonly group: string; readonly metrics: readonly Metric[]; readonly from: number; readonly to: number }) {
  if (props.metrics.length === 0) return null;
  return (
    // Small groups stand side by side: each takes as much of a line as it has pictures.
    <section class="sf-section" aria-label={props.group} style={{ flex: `${props.metrics.length} 1 ${props.metrics.length * METRIC_PX}px` }}>
      <h3 class="sf-title">{props.group}</h3>
      <div class="sf-metrics">
        {props.metrics.map((metric) => (
          <OneMetric key={metric.name} metric={metric} from={props.from} to={props.to} />
        ))}
      </div>
    </section>
  );
}

function OneMetric(props: { readonly metric: Metric; readonly from: number; readonly to: number }) {
  const { metric } = props;
  const curves = metric.curves.filter((curve) => curve.points.length > 0);
  const shown = [...curves].sort((one, other) => weight(other.points) - weight(one.points)).slice(0, LINES);
  const lines = shown.flatMap(({ label, points }): Line[] => {
    const line: Line = { label, points: points.map(([at = 0, what = 0]) => [at, what]) };
    if (metric.kind !== "summary" || shown.length > 1) return [line];
    return [line, { label: "95th percentile", points: points.map(([at = 0, , high = 0]) => [at, high]), faint: true }];
  });
  const what = { summary: "median", counter: "in 10 s", last_value: "" }[metric.kind];
  return (
    <div class="sf-metric" data-metric={metric.name}>
      <div class="sf-metric-head">
        <span>{metric.name}</span>
        <span class="sf-quiet">{[what, metric.unit].filter(Boolean).join(", ")}</span>
      </div>
      <Curve label={told(metric, lines)} lines={lines} unit={metric.unit} from={props.from} to={props.to} />
      <ul class="sf-legend">
        {lines.map((line, position) => (
          <li key={line.label}>
            <span class={`sf-legend-key sf-line-${position % 6}${line.faint ? " sf-line-faint" : ""}`} />
            {line.label || plain(metric)} <span class="sf-number">{value(line.points.at(-1)?.[1] ?? 0, metric.unit)}</span>
          </li>
        ))}
        {curves.length > shown.length && <li class="sf-quiet">and {curves.length - shown.length} more</li>}
      </ul>
    </div>
  );
}

function oldest(metrics: readonly Metric[]): number {
  return Math.min(...metrics.flatMap((metric) => metric.curves.flatMap((curve) => curve.points[0]?.[0] ?? [])));
}

function weight(points: readonly (readonly number[])[]): number {
  return points.reduce((sum, point) => sum + (point[3] ?? point[1] ?? 0), 0);
}

function told(metric: Metric, lines: readonly Line[]): string {
  const last = lines.map((line) => `${line.label || plain(metric)} ${value(line.points.at(-1)?.[1] ?? 0, metric.unit)}`);
  return `${metric.name}: ${last.join(", ")}`;
}

/** What a curve without a label of its own shows. */
function plain(metric: Metric): string {
  return metric.kind === "summary" ? "median" : "last";
}

/** What was kept and what is new, no older than an hour. */
export function joined(before: Pick<Metrics, "at" | "metrics"> | null, fresh: Metrics): Pick<Metrics, "at" | "metrics"> {
  if (before === null) return { at: fresh.at, metrics: fresh.metrics };
  const known = new Map(
    before.metrics.flatMap((metric) => metric.curves.map((curve) => [`${metric.name}\n${curve.label}`, curve.points] as const)),
  );
  const oldest = fresh.at - HOUR_SECONDS;
  const metrics = fresh.metrics.map((metric) => ({
    ...metric,
    curves: metric.curves.map(({ label, points }) => ({
      label,
      points: [...(known.get(`${metric.name}\n${label}`) ?? []), ...points].filter(([at = 0]) => at >= oldest),
    })),
  }));
  return { at: fresh.at, metrics };
}
