import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { viewMessage } from "../src/dashboard/messages";
import { Session } from "../src/dashboard/session";
import { detail, NO_FILTERS, page, snapshot } from "./dashboard_fixtures";
import { FakeHost } from "./fixtures";

let host: FakeHost;
let session: Session;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout", "performance"] });
  host = new FakeHost();
  session = new Session(host, { heartbeatSeconds: 5, silenceSeconds: 13 });
  session.open();
});

afterEach(() => {
  session.close();
  vi.useRealTimers();
});

const request = (type: string) => String(host.of(type).at(-1)?.["request"]);

describe("questions", () => {
  test("each gets its own answer, in whatever order", async () => {
    const first = session.askJobs(NO_FILTERS, 0, 100);
    const second = session.askJob("job-1");
    host.tell({ type: "job", request: request("ask_job"), job: detail() });
    host.tell(page(request("ask_jobs"), 5, 0));
    expect([(await first).type, (await second).type]).toEqual(["jobs", "job"]);
    expect(host.sent.every((message) => viewMessage.accepts(message))).toBe(true);
  });

  test("another view's answer is not ours", async () => {
    let answered = false;
    void session.askMetrics(0).then(() => (answered = true));
    host.tell({ type: "refused", request: "another-1", sentence: "No." });
    await Promise.resolve();
    expect(answered).toBe(false);
  });

  test("one without an answer is given up, and its late answer hurts nobody", async () => {
    const asked = session.askJob("job-1");
    vi.advanceTimersByTime(12_000);
    expect(await asked).toMatchObject({ type: "refused", sentence: "The kernel has not answered yet." });
    expect(() => host.tell({ type: "job", request: request("ask_job"), job: detail() })).not.toThrow();
  });
});

describe("actions", () => {
  test("several are under way at once, each told when it is done", () => {
    session.act("cancel", ["a"]);
    session.act("pause_queue", ["analysis"]);
    expect(session.shown.acting).toBe(2);
    const [first, second] = host.of("act").map((message) => message["request"]);
    host.tell({ type: "answer", request: second, ok: true, sentence: "Paused." });
    expect([session.shown.acting, session.shown.told?.sentence]).toEqual([1, "Paused."]);
    host.tell({ type: "answer", request: first, ok: false, sentence: "No." });
    expect([session.shown.acting, session.shown.told?.ok]).toEqual([0, false]);
    session.forget();
    expect(session.shown.told).toBeNull();
  });

  test("a kernel that runs a cell answers later, and the view says so", () => {
    session.act("cancel", ["a"]);
    vi.advanceTimersByTime(3000);
    expect(session.shown.told?.sentence).toContain("busy with a cell");
    host.tell({ type: "answer", request: request("act"), ok: true, sentence: "Cancelled: 1 job." });
    expect([session.shown.acting, session.shown.told?.sentence]).toEqual([0, "Cancelled: 1 job."]);
  });
});

test("a missed message is asked for", () => {
  host.tell(snapshot(1));
  host.tell({ type: "change", number: 3, at: 1, parts: { revision: 9 }, rows: {} });
  expect(host.of("watch")).toHaveLength(2);
  expect(session.shown.synced.state?.revision).toBe(1);
});

test("a kernel that says nothing is noticed, and noticed to be back", () => {
  host.tell(snapshot(1));
  vi.advanceTimersByTime(16_000);
  expect(session.shown.silent).toBe(true);
  host.tell(snapshot(2));
  expect(session.shown.silent).toBe(false);
});

test("what is not of the contract is dropped", () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  host.tell({ type: "snapshot", number: 1, at: 1, state: { queues: "many" } });
  expect(session.shown.synced.state).toBeNull();
  expect(warned).toHaveBeenCalledOnce();
  warned.mockRestore();
});
