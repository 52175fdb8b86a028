import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createApp } from "../../../src/api/server.ts";
import { ControlWorld } from "../control/control-world.ts";
import { type AuditLine, apiOptions, READ_TOKEN, testCredentials, WRITE_TOKEN } from "./api-fixture.ts";

async function served(t: TestContext) {
  const world = new ControlWorld();
  const { plane, functionLog } = await world.start("a");
  const lines: AuditLine[] = [];
  const app = createApp(apiOptions(plane, { credentials: testCredentials(t) }, lines));
  t.after(() => app.close());
  const print = (text: string, requestId = "r-1") =>
    functionLog.line({ fn: "orders", version: "$LATEST", requestId, stream: "stdout", text });
  const ask = async (query = "", token = WRITE_TOKEN, fn = "orders") => {
    const headers = { host: "localhost", authorization: `Bearer ${token}` };
    const answer = await app.inject({ url: `/millrace/v1/functions/${fn}/logs${query}`, headers });
    return { status: answer.statusCode, body: answer.json() };
  };
  return { print, ask, lines };
}

test("what a function has printed is shown with its time, call and stream, and then what came since", async (t) => {
  const { print, ask } = await served(t);
  print("sold");
  const { body } = await ask();
  assert.deepEqual(
    { ...body, lines: body.lines.map(({ time: _time, ...rest }: { time: string }) => rest) },
    {
      function: "orders",
      lines: [{ process: "a", version: "$LATEST", stream: "stdout", requestId: "r-1", text: "sold" }],
      next: body.next,
    },
  );
  assert.match(body.lines[0].time, /^\d{4}-\d\d-\d\dT/);
  print("sold another", "r-2");
  const next = await ask(`?after=${body.next}`);
  assert.deepEqual(
    next.body.lines.map(({ text }: { text: string }) => text),
    ["sold another"],
  );
  const one = await ask("?request=r-2");
  assert.deepEqual(
    one.body.lines.map(({ text }: { text: string }) => text),
    ["sold another"],
  );
});

test("logs are for callers who may inspect, whose first look stands in the audit log without any text", async (t) => {
  const { print, ask, lines } = await served(t);
  print("a customer's name");
  assert.equal((await ask("", READ_TOKEN)).status, 403);
  lines.length = 0;
  const { body } = await ask();
  await ask(`?after=${body.next}`);
  assert.deepEqual(
    lines.map(({ fields }) => [fields["action"], fields["function"], fields["caller"]]),
    [["ShowLogs", "orders", "writer"]],
  );
  assert.doesNotMatch(JSON.stringify(lines), /customer/);
});

test("a function that is not there, and what no log can be asked for, are refused", async (t) => {
  const { ask } = await served(t);
  assert.equal((await ask("", WRITE_TOKEN, "nobody")).status, 404);
  for (const query of ["?since=tomorrow", "?max=0", "?max=x", "?after=x", "?after=W1sxLDJdXQ"])
    assert.equal((await ask(query)).status, 400, query);
});
