import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { viewMessage } from "../src/batch/messages";
import { Session } from "../src/batch/session";
import { FakeHost, FINISHED, snapshot } from "./fixtures";

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

function see(visibility: string): void {
  Object.defineProperty(document, "visibilityState", { value: visibility, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}

describe("heartbeat", () => {
  test("begins at once and says what was seen", () => {
    expect(host.sent).toEqual([{ type: "watch", view: expect.any(String), seen: 0 }]);
    host.tell(snapshot(7));
    vi.advanceTimersByTime(5000);
    expect(host.of("watch").at(-1)?.["seen"]).toBe(7);
  });

  test("rests when the batch has finished, and wakes when it goes on", () => {
    host.tell(snapshot(1, FINISHED));
    vi.advanceTimersByTime(60_000);
    expect(host.of("watch")).toHaveLength(1);
    host.tell(snapshot(2));
    expect(host.of("watch")).toHaveLength(2);
    vi.advanceTimersByTime(5000);
    expect(host.of("watch")).toHaveLength(3);
  });

  test("stops while nobody can see the page", () => {
    see("hidden");
    vi.advanceTimersByTime(60_000);
    expect(host.of("watch")).toHaveLength(1);
    see("visible");
    expect(host.of("watch")).toHaveLength(2);
  });

  test("ends with a word of farewell", () => {
    session.close();
    expect(host.sent.at(-1)?.["type"]).toBe("leave");
    expect(host.listeners.size).toBe(0);
    expect(host.sent.every((message) => viewMessage.accepts(message))).toBe(true);
  });
});

test("a missed message is asked for", () => {
  host.tell(snapshot(1));
  host.tell({ type: "change", number: 3, at: 1, parts: { percent: 99 }, rows: {} });
  expect(host.of("watch").at(-1)?.["seen"]).toBe(1);
  expect(host.of("watch")).toHaveLength(2);
});

test("a kernel that says nothing is noticed, and noticed to be back", () => {
  host.tell(snapshot(1));
  vi.advanceTimersByTime(16_000);
  expect(session.shown.silent).toBe(true);
  host.tell(snapshot(2));
  expect(session.shown.silent).toBe(false);
});

test("a request waits for its own answer", () => {
  session.act("retry");
  const request = host.of("act")[0]?.["request"];
  expect(session.shown.pending).toBe("retry");
  host.tell({ type: "answer", request: "another view's", ok: true, sentence: "" });
  expect(session.shown.pending).toBe("retry");
  host.tell({ type: "answer", request, ok: false, sentence: "No." });
  expect([session.shown.pending, session.shown.answer?.sentence]).toEqual([null, "No."]);
});

test("a kernel that runs a cell answers later, and the view says so", () => {
  session.act("cancel");
  vi.advanceTimersByTime(3000);
  expect(session.shown.pending).toBe("cancel");
  expect(session.shown.answer?.sentence).toContain("busy with a cell");
  host.tell({ type: "answer", request: host.of("act")[0]?.["request"], ok: true, sentence: "Cancelled: 1 job." });
  expect([session.shown.pending, session.shown.answer?.sentence]).toEqual([null, "Cancelled: 1 job."]);
});

test("what is not of the contract is dropped", () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  host.tell({ type: "snapshot", number: 1 });
  expect(session.shown.synced.state).toBeNull();
  expect(warned).toHaveBeenCalledOnce();
  warned.mockRestore();
});

test("a host whose channel is closed does not break the view", () => {
  host.send = () => {
    throw new Error("the comm is closed");
  };
  expect(() => vi.advanceTimersByTime(20_000)).not.toThrow();
  expect(session.shown.silent).toBe(true);
});
