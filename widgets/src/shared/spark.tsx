// A small curve of what happened lately, in bars: one a step.

export function Spark(props: { readonly values: readonly number[]; readonly label: string }) {
  const top = Math.max(...props.values, 1);
  const bars = props.values
    .map((value, position) => {
      const high = value === 0 ? 0 : Math.max(1.5, (18 * value) / top);
      return high === 0 ? "" : `M${position * 2} 20h1.4v${-high.toFixed(1)}h-1.4z`;
    })
    .join("");
  return (
    <svg class="sf-spark" viewBox={`0 0 ${props.values.length * 2} 20`} preserveAspectRatio="none" role="img" aria-label={props.label}>
      <path class="sf-spark-ground" d={`M0 19.5h${props.values.length * 2}`} />
      <path class="sf-spark-bars" d={bars} />
    </svg>
  );
}
