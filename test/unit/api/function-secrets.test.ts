import assert from "node:assert/strict";
import { test } from "node:test";
import { READ_TOKEN, testCredentials, WRITE_TOKEN } from "./api-fixture.ts";
import { CREATE, FUNCTIONS, FunctionApi } from "./function-api.ts";

const SECRET = "hunter2-hunter2-hunter2";
const PARCELS = `${FUNCTIONS}/parcels`;
const reader = { authorization: `Bearer ${READ_TOKEN}` };
const writer = { authorization: `Bearer ${WRITE_TOKEN}` };

async function start(t: Parameters<typeof FunctionApi.start>[0]): Promise<FunctionApi> {
  const api = await FunctionApi.start(t, { credentials: testCredentials(t) });
  const Environment = { Variables: { PASSWORD: SECRET } };
  const created = await api.ask("POST", FUNCTIONS, { ...CREATE, Environment, Publish: true }, writer);
  assert.equal(created.status, 201);
  return api;
}

test("variables are shown to who may inspect, and to others only that there are some", async (t) => {
  const api = await start(t);
  const { Environment } = (await api.ask("GET", `${PARCELS}/configuration`, undefined, writer)).body;
  assert.deepEqual(Environment, { Variables: { PASSWORD: SECRET } });
  const hidden = {
    Error: {
      ErrorCode: "AccessDeniedException",
      Message: "The environment variables are shown to callers with the role inspect.",
    },
  };
  const shown = (await api.ask("GET", `${PARCELS}/configuration`, undefined, reader)).body["Environment"];
  assert.deepEqual(shown, hidden);
});

test("no list, view or drift that may only be read has a variable's value", async (t) => {
  const api = await start(t);
  for (const url of [
    FUNCTIONS,
    `${FUNCTIONS}?FunctionVersion=ALL`,
    PARCELS,
    `${PARCELS}?Qualifier=1`,
    `${PARCELS}/versions`,
    "/millrace/v1/resources",
    "/millrace/v1/drift",
  ]) {
    const { status, body } = await api.ask("GET", url, undefined, reader);
    assert.equal(status, 200, url);
    assert(!JSON.stringify(body).includes(SECRET), url);
  }
});

test("no refusal and no line of the log has a variable's value", async (t) => {
  const api = await start(t);
  for (const [Variables, text] of [
    [{ AWS_REGION: SECRET }, /Reserved keys used in this request: AWS_REGION$/],
    [{ _HANDLER: SECRET }, /environment\.variables|reserved keys/],
    [{ "1BAD": SECRET }, /at 'environment\.variables' failed to satisfy constraint: Map keys must satisfy/],
    [
      { BROKEN: `${SECRET}\0` },
      /values have a zero byte, which no process can be given\. Variables: BROKEN$/,
    ],
    [{ LONG: SECRET.repeat(200) }, /exceeded the 4KB limit\. They have \d+ bytes/],
  ] as const) {
    const answer = await api.ask("PUT", `${PARCELS}/configuration`, { Environment: { Variables } }, writer);
    assert.equal(answer.status, 400);
    assert.match(answer.text, text);
    assert(!answer.text.includes(SECRET));
  }
  assert(!JSON.stringify(api.lines).includes(SECRET));
  const names = api.lines.map(({ fields }) => [fields["action"], fields["function"], fields["outcome"]]);
  assert.deepEqual(names[0], ["CreateFunction", "parcels", 201]);
});

test("who may only read changes nothing", async (t) => {
  const api = await start(t);
  for (const [method, url] of [
    ["POST", FUNCTIONS],
    ["PUT", `${PARCELS}/code`],
    ["PUT", `${PARCELS}/configuration`],
    ["DELETE", PARCELS],
    ["POST", `${PARCELS}/versions`],
    ["POST", `${PARCELS}/aliases`],
    ["PUT", `${PARCELS}/aliases/live`],
    ["DELETE", `${PARCELS}/aliases/live`],
  ] as const) {
    const { status } = await api.ask(method, url, method === "DELETE" ? undefined : {}, reader);
    assert.equal(status, 403, `${method} ${url}`);
  }
});
