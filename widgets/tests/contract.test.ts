import { describe, expect, test } from "vitest";
import { contract as batch } from "../src/batch/contract";
import { kernelMessage, viewMessage } from "../src/batch/messages";
import { contract as dashboard } from "../src/dashboard/contract";
import { snapshot } from "./fixtures";

test.each([
  ["batch", batch],
  ["dashboard", dashboard],
])("the contract of %s that Python is tested against is the one written here", async (name, contract) => {
  await expect(`${JSON.stringify(contract, null, 2)}\n`).toMatchFileSnapshot(`../contract/${name}.json`);
});

describe("a batch", () => {
  test("messages of the kernel are checked when they arrive", () => {
    const change = { type: "change", number: 2, at: 1, rows: {} };
    expect(kernelMessage.accepts(snapshot(1))).toBe(true);
    expect(kernelMessage.accepts({ ...snapshot(1), number: -1 })).toBe(false);
    expect(kernelMessage.accepts({ ...snapshot(1), state: { ...snapshot(1).state, percent: "40" } })).toBe(false);
    expect(kernelMessage.accepts({ ...change, parts: { percent: 41 } })).toBe(true);
    expect(kernelMessage.accepts({ ...change, parts: { percent: null } })).toBe(false);
    expect(kernelMessage.accepts({ type: "unheard of" })).toBe(false);
    expect(kernelMessage.accepts(null)).toBe(false);
  });

  test("a newer kernel may say more than this view knows", () => {
    expect(kernelMessage.accepts({ ...snapshot(1), more: true })).toBe(true);
  });

  test("what a view says is of the contract", () => {
    expect(viewMessage.accepts({ type: "watch", view: "v", seen: 0 })).toBe(true);
    expect(viewMessage.accepts({ type: "act", request: "r", action: "erase" })).toBe(false);
  });
});
