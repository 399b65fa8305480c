import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import widget from "../src/batch/index";
import { EVIL, FakeHost, FINISHED, running, snapshot } from "./fixtures";

let host: FakeHost;
let el: HTMLElement;
let cleanup: () => void;

beforeEach(() => {
  host = new FakeHost();
  el = document.createElement("div");
  document.body.append(el);
  void act(() => {
    cleanup = widget.render({ model: host, el });
  });
});

afterEach(() => {
  void act(() => cleanup());
  expect(el.children).toHaveLength(0);
  el.remove();
});

function tell(message: unknown): void {
  void act(() => host.tell(message));
}

function click(label: string): void {
  const button = [...el.querySelectorAll("button")].find((one) => one.textContent === label);
  if (button === undefined) throw new Error(`no button ${label} in ${el.textContent}`);
  void act(() => button.click());
}

function labels(): (string | null)[] {
  return [...el.querySelectorAll("button")].map((button) => button.textContent);
}

describe("what is shown", () => {
  test("nothing is known yet", () => {
    expect(el.textContent).toContain("Reading the batch");
  });

  test("a running batch", () => {
    tell(snapshot(1));
    expect(el.querySelector(".sf")?.getAttribute("data-state")).toBe("running");
    expect(el.textContent).toContain("1 of 4 tracks done");
    expect(el.textContent).toContain("40 %");
    expect(el.querySelector('[data-step="analyze"] [data-status="running"]')?.textContent).toContain("2");
    const bars = [...el.querySelectorAll('[role="progressbar"]')];
    expect(bars.map((bar) => bar.getAttribute("aria-label"))).toEqual([
      "Whole batch",
      "Analyze",
      "Analyze one.wav",
      "Analyze two.wav",
    ]);
    expect(bars[1]?.getAttribute("aria-valuetext")).toBe("1 of 4 ended: 1 done, 2 running, 1 waiting");
    expect(labels()).toEqual(["Cancel"]);
  });

  test("a finished batch with a failure", () => {
    tell(snapshot(1));
    tell(snapshot(2, FINISHED));
    expect(el.textContent).toContain("Finished");
    expect(el.textContent).toContain("1 min 15 s");
    expect(el.textContent).toContain("broken.wav is not audio. Check what it is.");
    expect(el.querySelector('[aria-live="polite"]')?.textContent).toBe(
      "Finished: 3 of 4 tracks done, 1 failed.",
    );
    expect(labels()).toEqual(["Retry failed"]);
  });

  test("a batch of nothing says what to look at", () => {
    tell(snapshot(1, { state: "finished", inputs: { total: 0, done: 0, failed: 0, under_way: 0 }, steps: [], running: [] }));
    expect(el.textContent).toContain("This batch has no tracks");
  });

  test("many failures are folded", () => {
    const failures = Array.from({ length: 9 }, (_, n) => ({ name: `${n}.wav`, step: null, error: `fault ${n}` }));
    tell(snapshot(1, { ...FINISHED, failures, failures_more: 3 }));
    expect(el.querySelectorAll(".sf-failure")).toHaveLength(5);
    click("Show all 9");
    expect(el.querySelectorAll(".sf-failure")).toHaveLength(9);
    expect(el.textContent).toContain("… and 3 more failures, see batch.errors()");
  });

  test("a stranger's text stays text", () => {
    tell(
      snapshot(1, {
        running: [running("x", { name: EVIL, message: EVIL, step: EVIL })],
        steps: [{ step: EVIL, done: 0, reused: 0, failed: 1, running: 1, waiting: 0 }],
        failures: [{ name: EVIL, step: EVIL, error: EVIL }],
      }),
    );
    expect(el.querySelector("img")).toBeNull();
    expect(el.textContent).toContain(EVIL);
  });
});

describe("what can be done", () => {
  test("cancelling asks first", () => {
    tell(snapshot(1));
    click("Cancel");
    expect(host.of("act")).toHaveLength(0);
    expect(el.querySelector('[role="alertdialog"]')?.textContent).toContain("Stop 3 unfinished tracks?");
    expect(document.activeElement?.textContent).toBe("Keep going");
    click("Keep going");
    expect(document.activeElement?.textContent).toBe("Cancel");
    click("Cancel");
    click("Cancel them");
    expect(host.of("act").map((message) => message["action"])).toEqual(["cancel"]);
    expect(labels()).toEqual(["Cancelling…"]);
  });

  test("Escape means no", () => {
    tell(snapshot(1));
    click("Cancel");
    void act(() => {
      document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    });
    expect(labels()).toEqual(["Cancel"]);
  });

  test("the question goes away when there is nothing left to cancel", () => {
    tell(snapshot(1));
    click("Cancel");
    tell(snapshot(2, FINISHED));
    expect(el.querySelector('[role="alertdialog"]')).toBeNull();
  });

  test("trying again tells how it went", () => {
    tell(snapshot(1, FINISHED));
    click("Retry failed");
    tell({ type: "answer", request: host.of("act")[0]?.["request"], ok: true, sentence: "Trying again: 1 job." });
    expect(el.querySelector('.sf-answer[role="status"]')?.textContent).toBe("Trying again: 1 job.");
  });
});

test("a lost connection looks like one, and so does its return", () => {
  tell(snapshot(1));
  tell({ type: "lost", number: 1, at: 1, sentence: "The application went away.", again_seconds: 1 });
  expect(el.querySelector(".sf-trouble")?.textContent).toBe(
    "Connection lost. The application went away. (This view keeps trying.)",
  );
  expect(el.textContent).toContain("1 of 4 tracks done");
  tell(snapshot(1));
  expect(el.querySelector(".sf-trouble")).toBeNull();
  expect(el.querySelector('[aria-live="polite"]')?.textContent).toBe("Connected again.");
});
