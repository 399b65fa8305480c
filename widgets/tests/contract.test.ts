import { expect, test } from "vitest";
import { contract } from "../src/batch/contract";
import { kernelMessage, viewMessage } from "../src/batch/messages";
import { snapshot } from "./fixtures";

test("the contract that Python is tested against is the one written here", async () => {
  await expect(`${JSON.stringify(contract, null, 2)}\n`).toMatchFileSnapshot("../contract/batch.json");
});

test("messages of the kernel are checked when they arrive", () => {
  expect(kernelMessage.accepts(snapshot(1))).toBe(true);
  expect(kernelMessage.accepts({ ...snapshot(1), number: -1 })).toBe(false);
  expect(kernelMessage.accepts({ ...snapshot(1), state: { ...snapshot(1).state, percent: "40" } })).toBe(false);
  expect(kernelMessage.accepts({ type: "change", number: 2, at: 1, parts: { percent: 41 }, rows: {} })).toBe(true);
  expect(kernelMessage.accepts({ type: "change", number: 2, at: 1, parts: { percent: null }, rows: {} })).toBe(false);
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
