// All jobs, the newest first: filters that the store answers, and a list of which only what is seen exists.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { memo } from "../shared/memo";
import { FilterBar } from "./filters";
import { useKernelTime, useLatest } from "./hooks";
import { COLUMNS, HistoryRow } from "./history_row";
import type { DashboardState, Filters, Running } from "./messages";
import { Pages } from "./pages";
import type { Session } from "./session";
import { isEmpty } from "./words";

export const ROW_PX = 30;
const LIST_PX = 450;
const FEWEST = 6;
const BEYOND = 6;
/** Browsers draw nothing beyond some ten million pixels. */
const LARGEST_PX = 8_000_000;
export const NO_FILTERS: Filters = { states: null, queue: null, kind: null, tag: null, words: null };

export const History = memo(function History(props: {
  readonly session: Session;
  readonly states: DashboardState["states"];
  readonly queues: readonly string[];
  readonly revision: number;
  readonly running: readonly Running[];
  readonly connected: boolean;
  readonly filters: Filters;
  readonly opened: string | null;
  readonly onFilter: (filters: Filters) => void;
  readonly onOpen: (jobId: string) => void;
}) {
  const { session, filters } = props;
  const [, draw] = useState(0);
  const pages = useMemo(
    () => new Pages((chosen, offset, size) => session.askJobs(chosen, offset, size), filters, () => draw((n) => n + 1)),
    [session],
  );
  useEffect(() => () => pages.close(), [pages]);
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) pages.choose(filters);
    first.current = false;
  }, [pages, filters]);
  useEffect(() => {
    if (props.connected) pages.outdate();
  }, [pages, props.revision, props.states, props.connected]);
  const { found } = pages;
  const nothingAtAll = isEmpty(props.states);
  return (
    <section class="sf-section sf-history" aria-label="All jobs">
      <h3 class="sf-title">
        Jobs <span class="sf-quiet">{found.total === null ? "" : found.total.toLocaleString("en")}</span>
      </h3>
      {!(nothingAtAll && filters === NO_FILTERS) && <FilterBar
        filters={filters}
        states={props.states}
        queues={props.queues}
        kinds={found.kinds}
        tags={found.tags}
        onFilter={props.onFilter}
      />}
      {found.refused !== null && <p class="sf-trouble">{found.refused}</p>}
      {found.total === 0 ? (
        <Nothing filters={filters} nothingAtAll={nothingAtAll} onFilter={props.onFilter} />
      ) : (
        <List pages={pages} {...props} />
      )}
    </section>
  );
});

/** A short list takes little room, but not so little that the first few jobs move what is below; beside a job
    it takes all, for that is as high as the list. */
function listPx(total: number, beside: boolean): number {
  return beside ? LIST_PX : Math.min(LIST_PX, Math.max(FEWEST, total) * ROW_PX);
}

function Nothing(props: {
  readonly filters: Filters;
  readonly nothingAtAll: boolean;
  readonly onFilter: (filters: Filters) => void;
}) {
  if (props.nothingAtAll) {
    return (
      <div class="sf-empty">
        <p>No job was ever inserted here. Begin in a notebook:</p>
        <pre>batch = forge.process(forge.add("~/Music/demos"), separate="demo", analyze="all")</pre>
      </div>
    );
  }
  return (
    <div class="sf-empty">
      <p>No job fits these filters.</p>
      <button type="button" class="sf-button" onClick={() => props.onFilter(NO_FILTERS)}>
        Show all jobs
      </button>
    </div>
  );
}

function List(props: {
  readonly session: Session;
  readonly pages: Pages;
  readonly running: readonly Running[];
  readonly filters: Filters;
  readonly opened: string | null;
  readonly onOpen: (jobId: string) => void;
}) {
  const { pages } = props;
  const total = pages.found.total ?? 0;
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [active, setActive] = useState(0);
  const now = useKernelTime(props.session, 5000);
  const live = useMemo(() => new Map(props.running.map((job) => [job.job_id, job])), [props.running]);
  const visible = Math.ceil(LIST_PX / ROW_PX);
  const firstSeen = Math.max(0, Math.floor(top / ROW_PX) - BEYOND);
  const lastSeen = Math.min(Math.max(0, total - 1), firstSeen + visible + 2 * BEYOND);
  useLayoutEffect(() => pages.see(firstSeen, lastSeen), [pages, firstSeen, lastSeen, props.filters]);
  useEffect(() => {
    box.current?.scrollTo({ top: 0 });
    setActive(0);
  }, [props.filters]);
  const latest = useLatest({ active, total });

  const move = (to: number) => {
    const next = Math.max(0, Math.min(latest.current.total - 1, to));
    setActive(next);
    const element = box.current;
    if (element === null) return;
    if (next * ROW_PX < element.scrollTop) element.scrollTop = next * ROW_PX;
    const under = (next + 1) * ROW_PX - element.clientHeight;
    if (under > element.scrollTop) element.scrollTop = under;
  };
  const onKey = (event: KeyboardEvent) => {
    const steps: Record<string, number> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + visible - 1,
      PageUp: active - visible + 1,
      Home: 0,
      End: total - 1,
    };
    const to = steps[event.key];
    const row = pages.row(active);
    if (to !== undefined) move(to);
    else if ((event.key === "Enter" || event.key === " ") && row !== undefined) props.onOpen(row.job_id);
    else return;
    event.preventDefault();
  };

  const positions = total === 0 ? [] : Array.from({ length: lastSeen - firstSeen + 1 }, (_, n) => firstSeen + n);
  return (
    <div class="sf-rows">
      <div class="sf-row sf-row-heads" aria-hidden="true">
        {COLUMNS.map(([name, column]) => (
          <span key={column} class={`sf-cell-${column}`}>
            {name}
          </span>
        ))}
      </div>
      <div
        class="sf-scroller"
        ref={box}
        role="listbox"
        tabIndex={0}
        aria-label="Jobs, the newest first"
        aria-activedescendant={total > 0 && active >= firstSeen && active <= lastSeen ? `${props.session.id}-row-${active}` : undefined}
        style={{ height: `${listPx(total, props.opened !== null)}px` }}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
        onKeyDown={onKey}
      >
        <div class="sf-inside" role="presentation" style={{ height: `${Math.min(LARGEST_PX, total * ROW_PX)}px` }}>
          {positions.map((position) => {
            const job = pages.row(position);
            const of = job === undefined ? undefined : live.get(job.job_id);
            return (
              <HistoryRow
                key={position}
                id={`${props.session.id}-row-${position}`}
                position={position}
                total={total}
                job={job}
                progress={of?.progress}
                now={now}
                active={position === active}
                opened={job !== undefined && job.job_id === props.opened}
                onOpen={() => {
                  setActive(position);
                  if (job !== undefined) props.onOpen(job.job_id);
                }}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}
