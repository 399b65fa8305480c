import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Filters, Reply } from "../src/dashboard/messages";
import { PAGE, Pages } from "../src/dashboard/pages";
import { NO_FILTERS, page } from "./dashboard_fixtures";

interface Asked {
  readonly filters: Filters;
  readonly offset: number;
  readonly answer: (reply: Reply) => Promise<void>;
}

let asked: Asked[];
let drawn: number;
let pages: Pages;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  asked = [];
  drawn = 0;
  const ask = (filters: Filters, offset: number) =>
    new Promise<Reply>((resolve) => {
      const answer = async (reply: Reply) => {
        resolve(reply);
        await Promise.resolve();
        await Promise.resolve();
      };
      asked.push({ filters, offset, answer });
    });
  pages = new Pages(ask, NO_FILTERS, () => (drawn += 1));
});

afterEach(() => {
  pages.close();
  vi.useRealTimers();
});

const last = () => asked.at(-1) as Asked;

async function answerAll(total: number): Promise<void> {
  for (const one of asked.splice(0)) await one.answer(page("r", total, one.offset));
}

describe("what is held", () => {
  test("only what is seen is asked for, once", async () => {
    pages.see(0, 20);
    pages.see(0, 25);
    expect(asked.map((one) => one.offset)).toEqual([0]);
    await answerAll(10_000);
    expect([pages.found.total, pages.row(7)?.job_id, pages.row(100)]).toEqual([10_000, "job-7", undefined]);
    pages.see(90, 110);
    expect(asked.map((one) => one.offset)).toEqual([PAGE]);
  });

  test("pages far from what is seen are let go", async () => {
    for (const position of [0, 500, 1000, 1500, 5000]) {
      pages.see(position, position + 20);
      await answerAll(10_000);
    }
    expect(pages.row(0)).toBeUndefined();
    expect(pages.row(5000)?.job_id).toBe("job-5000");
  });

  test("what a shorter list no longer has is gone", async () => {
    pages.see(90, 110);
    await answerAll(150);
    pages.outdate();
    vi.runAllTimers();
    await answerAll(50);
    expect([pages.found.total, pages.row(49)?.job_id, pages.row(100)]).toEqual([50, "job-49", undefined]);
  });
});

describe("filters", () => {
  test("what is shown stays until the answer is there", async () => {
    pages.see(0, 20);
    await answerAll(300);
    pages.choose({ ...NO_FILTERS, words: "kite" });
    expect(pages.row(3)?.job_id).toBe("job-3");
    expect(last().filters.words).toBe("kite");
    await answerAll(1);
    expect([pages.found.total, pages.row(3)]).toEqual([1, undefined]);
  });

  test("an answer to an older question is dropped", async () => {
    pages.see(0, 20);
    const old = last();
    pages.choose({ ...NO_FILTERS, queue: "analysis" });
    await last().answer(page("r", 5, 0));
    await old.answer(page("r", 300, 0));
    expect(pages.found.total).toBe(5);
  });

  test("a question that is refused says why and is asked again", async () => {
    pages.see(0, 20);
    await last().answer({ type: "refused", request: "r", sentence: "The store is closed." });
    expect(pages.found.refused).toBe("The store is closed.");
    vi.runAllTimers();
    expect(asked).toHaveLength(2);
    await last().answer(page("r", 5, 0));
    expect(pages.found.refused).toBeNull();
  });
});

describe("changes", () => {
  test("however fast jobs change, pages are asked for once in a while", async () => {
    pages.see(0, 20);
    await answerAll(300);
    for (let n = 0; n < 50; n += 1) pages.outdate();
    expect(asked).toHaveLength(0);
    vi.runAllTimers();
    expect(asked).toHaveLength(1);
  });

  test("what changed while an answer was under way is asked for again", async () => {
    pages.see(0, 20);
    const first = last();
    await first.answer(page("r", 300, 0));
    pages.outdate();
    vi.runAllTimers();
    const second = last();
    pages.outdate();
    vi.runAllTimers();
    await second.answer(page("r", 300, 0));
    vi.runAllTimers();
    expect(asked).toHaveLength(3);
  });

  test("after its end nothing is asked or drawn", async () => {
    pages.see(0, 20);
    const before = drawn;
    pages.close();
    pages.outdate();
    vi.runAllTimers();
    await last().answer(page("r", 300, 0));
    expect([asked.length, drawn]).toEqual([1, before]);
  });
});
