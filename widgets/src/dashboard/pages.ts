// A long list, of which only pages near what is seen are held. Pure of any drawing, so that it can be tested.
import type { Filters, Job, Reply } from "./messages";

export const PAGE = 100;
/** Pages farther away than this from what is seen are let go. */
const KEPT_AROUND = 4;
/** Pages that are shown are asked for anew at most so often, however fast jobs change. */
const REFRESH_MS = 700;

export interface Found {
  readonly total: number | null;
  readonly kinds: readonly string[];
  readonly tags: readonly string[];
  readonly refused: string | null;
}

export class Pages {
  found: Found = { total: null, kinds: [], tags: [], refused: null };
  #pages = new Map<number, readonly Job[]>();
  #stale = new Set<number>();
  readonly #asked = new Map<number, number>();
  #generation = 0;
  #seen: readonly [number, number] = [0, 0];
  #refresh: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(
    private readonly ask: (filters: Filters, offset: number, size: number) => Promise<Reply>,
    private filters: Filters,
    private readonly changed: () => void,
  ) {}

  row(position: number): Job | undefined {
    return this.#pages.get(Math.floor(position / PAGE))?.[position % PAGE];
  }

  /** What of the list can be seen: from the first to the last position. */
  see(first: number, last: number): void {
    this.#seen = [Math.floor(Math.max(0, first) / PAGE), Math.floor(Math.max(0, last) / PAGE)];
    this.#fetch();
  }

  choose(filters: Filters): void {
    this.filters = filters;
    this.#generation += 1;
    this.#asked.clear();
    // What is shown stays until the answer is there: an empty moment would flicker.
    this.#stale = new Set(this.#pages.keys());
    this.#fetch();
  }

  /** Some job changed: what is shown may be old. */
  outdate(): void {
    if (this.#refresh !== undefined || this.#closed) return;
    this.#refresh = setTimeout(() => {
      this.#refresh = undefined;
      this.#stale = new Set(this.#pages.keys());
      this.#fetch();
    }, REFRESH_MS);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#refresh);
  }

  #fetch(): void {
    const [first, last] = this.#seen;
    for (let page = first; page <= last; page += 1) {
      const there = this.#pages.has(page) && !this.#stale.has(page);
      if (!there && !this.#asked.has(page)) void this.#fetchOne(page);
    }
  }

  async #fetchOne(page: number): Promise<void> {
    const generation = this.#generation;
    this.#asked.set(page, generation);
    this.#stale.delete(page);
    const reply = await this.ask(this.filters, page * PAGE, PAGE);
    if (generation !== this.#generation || this.#closed) return;
    this.#asked.delete(page);
    this.#take(page, reply);
    this.changed();
    // It may have become old while the answer was under way.
    if (this.#stale.has(page)) this.outdate();
  }

  #take(page: number, reply: Reply): void {
    if (reply.type !== "jobs") {
      this.#stale.add(page);
      this.found = { ...this.found, refused: reply.type === "refused" ? reply.sentence : null };
      return;
    }
    this.#pages.set(page, reply.rows);
    const [first, last] = this.#seen;
    for (const other of [...this.#pages.keys()]) {
      const beyond = other * PAGE >= reply.total || other < first - KEPT_AROUND || other > last + KEPT_AROUND;
      if (beyond && other !== page) this.#pages.delete(other);
    }
    const { kinds, tags } = this.found;
    this.found = { total: reply.total, kinds: reply.kinds ?? kinds, tags: reply.tags ?? tags, refused: null };
  }
}
