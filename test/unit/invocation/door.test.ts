import assert from "node:assert/strict";
import { test } from "node:test";
import { Door } from "../../../src/invocation/door.ts";
import type { InvocableFunction } from "../../../src/invocation/invocable-function.ts";
import { InvokerBook } from "../../../src/invocation/invoker-book.ts";
import { API_CALLER } from "../../../src/model/caller.ts";
import type { Telemetry } from "../../../src/ports/telemetry.ts";
import { ManualClock, SILENT_TELEMETRY, SUCCEEDED } from "../engine/stream/small-world.ts";

const ARN = "arn:aws:lambda:eu-west-1:123456789012:function";

function createDoor() {
  const told: string[] = [];
  const telemetry: Telemetry = {
    ...SILENT_TELEMETRY,
    functionCall: (fn, caller, outcome) => void told.push(`${fn} ${caller} ${outcome}`),
    log: (level, message, fields) =>
      void told.push(
        `${level} ${message}${fields?.["function"] === undefined ? "" : `: ${fields["function"]}`}`,
      ),
  };
  const clock = new ManualClock();
  const fn: InvocableFunction = {
    name: "orders",
    target: { invoke: async () => SUCCEEDED, close: async () => {} },
    timeoutMs: 3_000,
    concurrency: 1,
  };
  const functions = {
    declares: (name: string) => name === "orders" || name.startsWith("broken"),
    openFunction: async (name: string) =>
      name === "orders" ? fn : Promise.reject(new Error("It throws when it is loaded.")),
  };
  const door = new Door(functions, new InvokerBook(clock, telemetry), clock, telemetry);
  const call = (name: string) =>
    door.invoke({
      caller: API_CALLER,
      requestId: "1",
      functionArn: `${ARN}:${name}`,
      payload: () => Buffer.from("{}"),
      mayStart: () => true,
      signal: new AbortController().signal,
    });
  return { call, told };
}

test("a function is called by its name, whoever opened it", async () => {
  const { call, told } = createDoor();
  assert.deepEqual(await call("orders:any"), SUCCEEDED);
  assert.deepEqual(told, ["orders api succeeded"]);
});

test("a name that nobody declares is refused, and is no label of a metric", async () => {
  const { call, told } = createDoor();
  assert.deepEqual(await call("nobody"), { kind: "refused", why: "noSuchFunction" });
  assert.deepEqual(told, []);
});

test("a function that cannot be opened is refused as not ready, and the log says why", async () => {
  const { call, told } = createDoor();
  assert.deepEqual(await call("broken"), { kind: "refused", why: "notReady" });
  assert.deepEqual(told, ["error a function that is called cannot be opened: broken", "broken api refused"]);
});

test("each function that cannot be opened is told, however many others cannot, and none again and again", async () => {
  const { call, told } = createDoor();
  const names = Array.from({ length: 10 }, (_, index) => `broken-${index}`);
  for (let round = 0; round < 9; round++) for (const name of names) await call(name);
  const lines = told.filter((text) => text.startsWith("error"));
  assert.equal(lines.length, 3 * names.length);
  assert.deepEqual(
    new Set(lines),
    new Set(names.map((name) => `error a function that is called cannot be opened: ${name}`)),
  );
});
