import assert from "node:assert/strict";
import { test } from "node:test";
import { createVersionedFunction, shareOf } from "../../../src/invocation/alias-route.ts";
import type { FunctionTarget } from "../../../src/ports/function-target.ts";

const ARN = "arn:aws:lambda:eu-west-1:123456789012:function:orders";

function fakeTarget(name: string, closed: string[]): FunctionTarget {
  return {
    invoke: async (payload) =>
      payload.length > 0 ? { kind: "timedOut" } : { kind: "succeeded", payload: Buffer.from(name) },
    close: async () => {
      closed.push(name);
    },
  };
}

function create() {
  const closed: string[] = [];
  const target = createVersionedFunction({
    latest: fakeTarget("$LATEST", closed),
    versions: new Map([
      ["2", fakeTarget("2", closed)],
      ["3", fakeTarget("3", closed)],
    ]),
    aliases: new Map([
      ["live", { version: "2", weights: new Map([["3", 0.25]]) }],
      ["next", { version: "$LATEST", weights: new Map() }],
    ]),
  });
  const invoke = async (qualifier: string, requestId: string = crypto.randomUUID()) => {
    const context = {
      requestId,
      functionName: "orders",
      functionArn: ARN + qualifier,
      deadlineMs: 1000,
      timeoutMs: 1000,
    };
    const outcome = await target.invoke(new Uint8Array(), context, new AbortController().signal);
    return outcome.kind === "succeeded" ? Buffer.from(outcome.payload).toString() : outcome.kind;
  };
  return { target, invoke, closed };
}

test("the qualifier of the function's ARN picks the version", async () => {
  const { invoke } = create();
  assert.equal(await invoke(""), "$LATEST");
  assert.equal(await invoke(":$LATEST"), "$LATEST");
  assert.equal(await invoke(":3"), "3");
  assert.equal(await invoke(":next"), "$LATEST");
});

test("an outcome says which version ran, also of a failure, and nothing of $LATEST", async () => {
  const { target } = create();
  const outcomeOf = (qualifier: string, payload = new Uint8Array()) => {
    const functionArn = ARN + qualifier;
    const context = {
      requestId: "x",
      functionName: "orders",
      functionArn,
      deadlineMs: 1000,
      timeoutMs: 1000,
    };
    return target.invoke(payload, context, new AbortController().signal);
  };
  assert.deepEqual(await outcomeOf(":3", Buffer.from("{}")), { kind: "timedOut", executedVersion: "3" });
  assert.deepEqual(await outcomeOf(":2"), {
    kind: "succeeded",
    payload: Buffer.from("2"),
    executedVersion: "2",
  });
  for (const latest of ["", ":$LATEST", ":next"]) assert(!("executedVersion" in (await outcomeOf(latest))));
});

test("a version that is not there is not run, and says so", async () => {
  assert.equal(await create().invoke(":4"), "unavailable");
});

test("all attempts of a batch of a weighted alias go to one version", async () => {
  const { invoke } = create();
  for (let batch = 0; batch < 50; batch++) {
    const requestId = crypto.randomUUID();
    const answers = new Set([
      await invoke(":live", requestId),
      await invoke(":live", requestId),
      await invoke(":live", requestId),
    ]);
    assert.equal(answers.size, 1);
  }
});

test("a weight is the share of batches that another version gets", async () => {
  const { invoke } = create();
  let others = 0;
  // Ids that cover 0 to 1 evenly, so that the share is exact.
  for (let index = 0; index < 256; index++) {
    const head = (index * 2 ** 24).toString(16).padStart(8, "0");
    if ((await invoke(":live", `${head}-0000-4000-8000-000000000000`)) === "3") others++;
  }
  assert.equal(others, 64);
});

test("ids of other forms have a share too", () => {
  const shares = ["a", "window/17", "", "ABCDEF01-"].map(shareOf);
  for (const share of shares) assert.ok(share >= 0 && share < 1);
  assert.equal(new Set(shares).size, shares.length);
});

test("closing closes every version", async () => {
  const { target, closed } = create();
  await target.close();
  assert.deepEqual(closed.sort(), ["$LATEST", "2", "3"]);
});
