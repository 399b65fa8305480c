import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import widget from "../src/dashboard/index";
import type { DashboardState } from "../src/dashboard/messages";
import { joined } from "../src/dashboard/metrics";
import { returned } from "../src/dashboard/words";
import { detail, page, queue, row, running, snapshot } from "./dashboard_fixtures";
import { EVIL, FakeHost } from "./fixtures";

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

async function tell(message: unknown): Promise<void> {
  await act(async () => host.tell(message));
}

async function show(part: Partial<DashboardState> = {}, total = 40): Promise<void> {
  await tell(snapshot(1, part));
  for (const message of host.of("ask_jobs")) await tell(page(String(message["request"]), total, Number(message["offset"])));
}

function button(label: string): HTMLButtonElement {
  const found = [...el.querySelectorAll("button")].find(
    (one) => one.getAttribute("aria-label") === label || one.textContent?.trim() === label,
  );
  if (found === undefined) throw new Error(`no button ${label} in ${el.textContent}`);
  return found;
}

async function click(label: string): Promise<void> {
  await act(async () => button(label).click());
}

describe("what is shown", () => {
  test("nothing is known yet", () => {
    expect(el.textContent).toContain("Reading the library");
  });

  test("queues, what runs, and the newest jobs", async () => {
    await show();
    expect(el.querySelector(".sf-dash")?.getAttribute("data-state")).toBe("live");
    expect(el.textContent).toContain("1 running, 3 waiting");
    expect(el.querySelector('[data-queue="processing"]')?.textContent).toContain("1 of 2");
    expect(el.querySelector('.sf-run[data-job="one"]')?.textContent).toContain("pid 42 · 812 MB");
    expect(el.querySelector('.sf-row[data-job="job-0"]')?.textContent).toContain("take 0.flac");
  });

  test("an application that was never used says what to do next", async () => {
    const none = { available: 0, scheduled: 0, executing: 0, retryable: 0, completed: 0, discarded: 0, cancelled: 0 };
    await show({ states: none, running: [] }, 0);
    expect(el.textContent).toContain('forge.process(forge.add("~/Music/demos")');
    expect(el.querySelector('[role="search"]')).toBeNull();
  });

  test("filters that fit nothing offer the way back", async () => {
    await show();
    await click("Cancelled 0");
    const asked = host.of("ask_jobs").at(-1);
    expect(asked?.["filters"]).toMatchObject({ states: ["cancelled"] });
    await tell(page(String(asked?.["request"]), 0, 0));
    expect(el.textContent).toContain("No job fits these filters.");
    await click("Show all jobs");
    expect(host.of("ask_jobs").at(-1)?.["filters"]).toMatchObject({ states: null });
  });

  test("a stranger's text stays text", async () => {
    await tell(
      snapshot(1, {
        running: [running("x", { name: EVIL, message: EVIL, kind: EVIL })],
        queues: [queue(EVIL)],
        tracks: [{ track_id: "t", title: EVIL, steps: [{ kind: EVIL, state: "executing", progress: 4 }] }],
      }),
    );
    const request = String(host.of("ask_jobs")[0]?.["request"]);
    await tell({ ...page(request, 1, 0), rows: [row(0, { name: EVIL, error: EVIL, tags: [EVIL] })] });
    expect(el.querySelector("img")).toBeNull();
    expect(el.textContent).toContain(EVIL);
  });

  test("buttons of actions that the application does not offer are not there", async () => {
    await show({ actions: ["cancel"] });
    expect(() => button("Pause analysis")).toThrow();
    await tell({ type: "change", number: 2, at: 1061, parts: { actions: ["cancel", "pause_queue", "scale_queue"] }, rows: {} });
    await click("Pause analysis");
    await click("One more at once in analysis");
    expect(host.of("act").map(({ action, targets, limit }) => [action, targets, limit])).toEqual([
      ["pause_queue", ["analysis"], null],
      ["scale_queue", ["analysis"], 3],
    ]);
  });

  test("a page for looking only has no buttons that do anything", async () => {
    await show({ read_only: true, actions: [] });
    expect(el.textContent).toContain("read-only");
    expect(() => button("Cancel one.wav")).toThrow();
  });
});

describe("one job", () => {
  async function open(part: Parameters<typeof detail>[0] = {}): Promise<void> {
    await show();
    await act(async () => el.querySelector<HTMLElement>('.sf-row[data-job="job-1"]')?.click());
    await tell({ type: "job", request: String(host.of("ask_job").at(-1)?.["request"]), job: detail(part) });
  }

  test("its error stands once, beside what its attempt left", async () => {
    await open();
    const told = el.querySelector(".sf-detail")?.textContent ?? "";
    expect(told.split("ends in the middle of a frame").length - 1).toBe(1);
    expect([...el.querySelectorAll(".sf-said code")].map((one) => one.textContent)).toEqual(["-11"]);
    expect([...el.querySelectorAll(".sf-said pre")].map((one) => one.textContent)).toEqual(["one\ntwo"]);
    expect(told).toContain("+ 19 s");
  });

  test("it is read again when jobs changed, and tried again on a click", async () => {
    await open();
    await click("Try again");
    expect(host.of("act").at(-1)).toMatchObject({ action: "retry", targets: ["job-1"] });
    await tell({ type: "change", number: 2, at: 1061, parts: { revision: 2 }, rows: {} });
    expect(host.of("ask_job")).toHaveLength(2);
  });

  test("one that is not there any more is a sentence", async () => {
    await show();
    await act(async () => el.querySelector<HTMLElement>('.sf-row[data-job="job-1"]')?.click());
    const request = String(host.of("ask_job").at(-1)?.["request"]);
    await tell({ type: "refused", request, sentence: "There is no job job-1." });
    expect(el.querySelector(".sf-detail .sf-trouble")?.textContent).toBe("There is no job job-1.");
  });
});

test("what was discarded is one click away, from any tab", async () => {
  await show({ tab: "system" });
  await click("2 discarded");
  expect(host.of("ask_jobs").at(-1)?.["filters"]).toMatchObject({ states: ["discarded"] });
});

test("a lost connection looks like one, and so does its return", async () => {
  await show();
  await tell({ type: "lost", number: 1, at: 1061, sentence: "The application went away.", again_seconds: 4 });
  expect(el.querySelector(".sf-dash")?.getAttribute("data-state")).toBe("troubled");
  expect(el.querySelector(".sf-trouble")?.textContent).toContain("The application went away.");
  expect(el.textContent).toContain("No contact");
  await tell({ ...snapshot(1, { reconnected_at: 1059 }) });
  expect(el.querySelector(".sf-trouble")).toBeNull();
  expect(el.querySelector('[aria-live="polite"]')?.textContent).toBe("Connected again.");
  expect(el.querySelector(".sf-returned")?.textContent).toContain("connected again");
});

test("that it was away is forgotten after a minute", () => {
  expect(returned(null, 1000)).toBe("");
  expect(returned(1000, 1012)).toBe("connected again 12 s ago");
  expect(returned(1000, 1061)).toBe("");
});

test("curves are joined to what was kept, and an hour is kept", () => {
  const metric = { name: "m", kind: "counter", unit: "", group: "G" } as const;
  const kept = { at: 5000, metrics: [{ ...metric, curves: [{ label: "", points: [[1000, 1], [4990, 2]] }] }] };
  const fresh = { type: "metrics", request: "r", at: 5010, metrics: [{ ...metric, curves: [{ label: "", points: [[5010, 3]] }] }] } as const;
  const { metrics } = joined(kept, fresh as never);
  expect(metrics[0]?.curves[0]?.points).toEqual([[4990, 2], [5010, 3]]);
});
