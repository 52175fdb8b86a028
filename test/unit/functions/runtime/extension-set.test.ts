import assert from "node:assert/strict";
import { test } from "node:test";
import { type ExtensionEvent, ExtensionSet } from "../../../../src/functions/runtime/extension-set.ts";

const FN = {
  functionName: "f",
  functionVersion: "3",
  handler: "index.handler",
  accountId: "1",
  memoryMb: 256,
};
const EVENT = { requestId: "id-1", functionArn: "arn", deadlineMs: 5, traceId: "Root=1" };

function startSet(externals: readonly string[] = []) {
  const heard: string[] = [];
  const set = new ExtensionSet(FN, externals, () => heard.push("ready"));
  const register = (name: string, events: readonly string[] = ["INVOKE"]) => {
    const answer = set.register(name, events);
    return "id" in answer ? answer.id : answer.errorType;
  };
  const ask = (id: string | undefined) =>
    set.next(id, { deliver: (event: ExtensionEvent) => heard.push(event.eventType) })?.errorType;
  return { set, heard, register, ask };
}

test("it is ready when all that were started, and all that registered, wait", () => {
  const { set, heard, register, ask } = startSet(["outer"]);
  assert.equal(set.isReady, false);
  const [outer, inner] = [register("outer", ["INVOKE", "SHUTDOWN"]), register("inner", [])];
  ask(outer);
  assert.equal(set.isReady, false);
  ask(inner);
  assert.deepEqual([set.isReady, heard], [true, ["ready"]]);
  set.invoke(EVENT);
  assert.deepEqual([set.isReady, heard], [false, ["ready", "INVOKE"]], "who wants no event waits on");
  ask(outer);
  set.shutDown(9, "SPINDOWN");
  assert.deepEqual(heard, ["ready", "INVOKE", "ready", "SHUTDOWN"]);
});

test("what may not be is refused by AWS's names", () => {
  const { set, register, ask } = startSet(["outer"]);
  assert.equal(register(""), "Extension.InvalidExtensionName");
  assert.equal(register("inner", ["SHUTDOWN"]), "Extension.InvalidEventType");
  assert.equal(register("inner", ["OTHER"]), "Extension.InvalidEventType");
  const id = register("inner");
  assert.equal(register("inner"), "Extension.InvalidExtensionState");
  for (let more = 1; more < 10; more++) register(`inner-${more}`);
  assert.equal(register("one-more"), "Extension.TooManyExtensions");
  assert.equal(ask(undefined), "Extension.MissingExtensionIdentifier");
  assert.equal(ask("no-uuid"), "Extension.InvalidExtensionIdentifier");
  assert.equal(ask("00000000-0000-4000-8000-000000000000"), "Extension.UnknownExtensionIdentifier");
  assert.equal(ask(id), undefined);
  assert.equal(ask(id), "Extension.InvalidExtensionState");
  set.close();
  assert.equal(register("late"), "Extension.RegistrationClosed");
});
