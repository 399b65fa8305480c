import { describe, expect, test } from "vitest";
import { kernelTime, NOTHING, receive } from "../src/dashboard/synced";
import { queue, running, snapshot } from "./dashboard_fixtures";

const started = receive(NOTHING, snapshot(3), 0).synced;

describe("receiving", () => {
  test("a change touches its parts and rows only", () => {
    const { synced, missed } = receive(
      started,
      {
        type: "change",
        number: 4,
        at: 1061,
        parts: { revision: 2 },
        rows: {
          running: { order: ["two", "one"], changed: [running("two")] },
          queues: { order: ["processing", "analysis"], changed: [queue("processing", { running: 2 })] },
        },
      },
      1,
    );
    expect(missed).toBe(false);
    expect(synced.state?.revision).toBe(2);
    expect(synced.state?.running.map((row) => row.job_id)).toEqual(["two", "one"]);
    expect(synced.state?.running[1]).toBe(started.state?.running[0]);
    expect(synced.state?.queues[1]).toBe(started.state?.queues[1]);
    expect(synced.state?.children).toBe(started.state?.children);
  });

  test("a row that left is gone, and one that was never told is left out", () => {
    const rows = { running: { order: ["unknown"], changed: [] } };
    const { synced } = receive(started, { type: "change", number: 4, at: 1061, parts: {}, rows }, 1);
    expect(synced.state?.running).toEqual([]);
  });

  test("a gap is noticed, and a message from before is not", () => {
    const after = { type: "change", at: 1061, parts: { revision: 9 }, rows: {} } as const;
    const gap = receive(started, { ...after, number: 6 }, 1);
    expect([gap.missed, gap.synced.state?.revision, gap.synced.number]).toEqual([true, 1, 3]);
    expect(receive(started, { ...after, number: 2 }, 1).missed).toBe(false);
    expect(receive(NOTHING, { ...after, number: 1 }, 1).missed).toBe(true);
  });

  test("a lost connection keeps what was known, and a snapshot ends it", () => {
    const gone = receive(started, { type: "lost", number: 3, at: 1, sentence: "Gone.", again_seconds: 4 }, 1).synced;
    expect([gone.lost?.sentence, gone.lost?.againSeconds, gone.state?.revision]).toEqual(["Gone.", 4, 1]);
    expect(receive(gone, snapshot(3), 2).synced.lost).toBeNull();
  });

  test("a pulse tells for how long there is no answer, and the next state that there is one", () => {
    const waiting = receive(started, { type: "pulse", number: 3, at: 1070, unanswered_seconds: 7 }, 5).synced;
    expect(waiting.unansweredSeconds).toBe(7);
    expect(receive(waiting, snapshot(4), 6).synced.unansweredSeconds).toBe(0);
  });
});

test("time goes on by the kernel's clock", () => {
  expect(kernelTime(started, 5)).toBe(1065);
  expect(kernelTime(NOTHING, 5)).toBeGreaterThan(1e9);
});
