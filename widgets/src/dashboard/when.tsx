// Times: relative to be read at a glance, exact at hand.
import { ago, exact } from "../shared/format";

export function When(props: { readonly at: number | null; readonly now: number }) {
  const { at, now } = props;
  if (at === null) return <span class="sf-quiet">–</span>;
  return (
    <time dateTime={new Date(at * 1000).toISOString()} title={exact(at)}>
      {ago(now - at)}
    </time>
  );
}
