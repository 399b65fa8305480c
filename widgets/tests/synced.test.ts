import { describe, expect, test } from "vitest";
import { elapsedSeconds, NOTHING, receive } from "../src/batch/synced";
import { FINISHED, running, snapshot } from "./fixtures";

const started = receive(NOTHING, snapshot(3), 0).synced;

describe("receiving", () => {
  test("a snapshot is taken whole", () => {
    expect(started.state?.percent).toBe(40);
    expect(started.number).toBe(3);
  });

  test("a change touches its parts and rows only", () => {
    const { synced, missed } = receive(
      started,
      {
        type: "change",
        number: 4,
        at: 1061,
        parts: { percent: 45 },
        rows: { running: { order: ["three", "two"], changed: [running("three")] } },
      },
      1,
    );
    expect(missed).toBe(false);
    expect(synced.state?.percent).toBe(45);
    expect(synced.state?.running.map((row) => [row.job_id, row.progress])).toEqual([["three", 10], ["two", 55]]);
    expect(synced.state?.steps).toBe(started.state?.steps);
  });

  test("a gap is noticed, and a message from before is not", () => {
    const after = { type: "change", at: 1061, parts: { percent: 90 }, rows: {} } as const;
    const gap = receive(started, { ...after, number: 6 }, 1);
    expect([gap.missed, gap.synced.state?.percent, gap.synced.number]).toEqual([true, 40, 3]);
    expect(receive(started, { ...after, number: 2 }, 1).missed).toBe(false);
    expect(receive(NOTHING, { ...after, number: 1 }, 1).missed).toBe(true);
  });

  test("a lost connection keeps what was known, and a snapshot ends it", () => {
    const gone = receive(started, { type: "lost", number: 3, at: 1, sentence: "Gone.", again_seconds: 1 }, 1).synced;
    expect([gone.lost, gone.state?.percent]).toEqual(["Gone.", 40]);
    expect(receive(gone, snapshot(3), 2).synced.lost).toBeNull();
  });
});

test("time goes on by the kernel's clock, and stands when the batch has ended", () => {
  expect(elapsedSeconds(started, 5)).toBe(65);
  expect(elapsedSeconds(receive(started, snapshot(4, FINISHED), 5).synced, 500)).toBe(75);
  expect(elapsedSeconds(NOTHING, 5)).toBeNull();
});
