import assert from "node:assert/strict";
import { test } from "node:test";
import { ContentViews } from "../../../src/api/page/content-views.ts";
import { createApp } from "../../../src/api/server.ts";
import type { WholeView } from "../../../src/control/whole-view.ts";
import { ControlWorld, STREAM } from "../control/control-world.ts";
import { seenProcess } from "../control/seen-process.ts";
import { type AuditLine, apiOptions, READ_TOKEN, testCredentials, WRITE_TOKEN } from "./api-fixture.ts";

test("who looks at the same texts again is told of once, and anew after a while", () => {
  let nowMs = 0;
  const views = new ContentViews({ monotonic: () => nowMs });
  assert.deepEqual(views.news("lin", "orders", ["e1"]), ["e1"]);
  nowMs = 2_000;
  assert.deepEqual(views.news("lin", "orders", ["e1", "e2"]), ["e2"]);
  assert.deepEqual(views.news("ada", "orders", ["e1"]), ["e1"], "another caller");
  assert.deepEqual(views.news("lin", "bills", ["e1"]), ["e1"], "another mapping");
  nowMs = 601_000;
  assert.deepEqual(views.news("lin", "orders", ["e1", "e2"]), ["e1"]);
});

test("what is kept of who looked is bounded, and what is forgotten is told of again", () => {
  const views = new ContentViews({ monotonic: () => 0 });
  views.news("lin", "orders", ["e0"]);
  for (let index = 1; index <= 5_000; index++) views.news("lin", "orders", [`e${index}`]);
  assert.deepEqual(views.news("lin", "orders", ["e0", "e5000"]), ["e0"]);
});

test("the log says who has looked at what a function said, and at nothing that was not shown", async (t) => {
  const { plane } = await new ControlWorld().start("a");
  const spec = { eventSourceArn: STREAM, functionName: "orders", startingPosition: "TRIM_HORIZON" };
  const { uuid } = (await plane.mappings.create(spec, false, {})).resource.mapping;
  plane.everywhere = async () => failing(uuid);
  const lines: AuditLine[] = [];
  const app = createApp(apiOptions(plane, { credentials: testCredentials(t) }, lines));
  t.after(() => app.close());
  const look = async (token: string) => {
    const headers = { host: "localhost", authorization: `Bearer ${token}` };
    return (await app.inject({ url: `/millrace/v1/live/mappings/${uuid}`, headers })).json();
  };
  assert.equal((await look(READ_TOKEN)).errors[0].message, undefined);
  assert.deepEqual(lines, [], "no text was shown");
  assert.equal((await look(WRITE_TOKEN)).errors[0].message, "no price");
  assert.equal((await look(WRITE_TOKEN)).errors[0].message, "no price");
  assert.deepEqual(
    lines.map(({ fields: { caller, action, uuid: of, errors, outcome } }) => [
      caller,
      action,
      of,
      errors,
      outcome,
    ]),
    [["writer", "ShowErrors", uuid, "e7f3", 200]],
    "a page that is open asks again and again: it is one look",
  );
  assert.doesNotMatch(JSON.stringify(lines), /no price/);
});

function failing(uuid: string): WholeView {
  const process = seenProcess("p", 0, 1);
  const error = {
    id: "e7f3",
    function: "orders",
    errorType: "TypeError",
    message: "no price",
    stack: undefined,
    logTail: undefined,
    count: 1,
    firstSeenMs: 0,
    lastSeenMs: 0,
    lastRequestId: "r",
    sample: {},
    version: undefined,
  };
  const mappings = process.snapshot.mappings.map((mapping) => ({
    ...mapping,
    uuid,
    errors: { errors: [error], leftOut: 0 },
  }));
  return {
    nowMs: 0,
    problem: undefined,
    processes: [{ ...process, snapshot: { ...process.snapshot, mappings } }],
  };
}
