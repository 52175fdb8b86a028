import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  CreateEventSourceMappingCommand,
  InvokeCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  ListTagsCommand,
} from "@aws-sdk/client-lambda";
import { checkRole } from "../../../src/api/access.ts";
import { type Caller, ROLES, type Role, readCredentials } from "../../../src/api/access-credentials.ts";
import { createApp, startApiServer, startMetricsServer } from "../../../src/api/server.ts";
import { parseServerAddress } from "../../../src/api/server-address.ts";
import { createSystemClock } from "../../../src/system/clock.ts";
import { ControlWorld, QUEUE } from "../control/control-world.ts";
import { folderWith } from "../manifests/manifest-samples.ts";
import {
  type AuditLine,
  apiOptions,
  READ_KEY,
  READ_TOKEN,
  testCredentials,
  WRITE_KEY,
  WRITE_TOKEN,
} from "./api-fixture.ts";

const MAPPINGS = "/2015-03-31/event-source-mappings";
const UUID = "00000000-0000-4000-8000-00000000ffff";
const TAGS = `/2017-03-31/tags/arn:aws:lambda:eu-west-1:123456789012:event-source-mapping:${UUID}`;
const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"] as const;

/** What each method of a path needs; a method that is not here is nothing to anybody. */
const NEEDS: Readonly<
  Record<string, Partial<Record<(typeof METHODS)[number], "public" | "read" | "write">>>
> = {
  "/healthz": { GET: "public", HEAD: "public" },
  "/readyz": { GET: "public", HEAD: "public" },
  "/metrics": { GET: "read", HEAD: "read" },
  "/millrace/v1/status": { GET: "read", HEAD: "read" },
  [MAPPINGS]: { GET: "read", HEAD: "read", POST: "write" },
  [`${MAPPINGS}/`]: { GET: "read", HEAD: "read", POST: "write" },
  [`${MAPPINGS}/${UUID}`]: { GET: "read", HEAD: "read", PUT: "write", DELETE: "write" },
  [`/millrace/v1/mappings/${UUID}/explain`]: { GET: "read", HEAD: "read" },
  [TAGS]: { GET: "read", HEAD: "read", POST: "write", DELETE: "write" },
  // What Lambda has and millrace has not is said to be so, to those who may do its like.
  "/2015-03-31/functions": { GET: "read", HEAD: "read", POST: "write" },
  "/2015-03-31/functions/orders": { GET: "read", HEAD: "read", DELETE: "write" },
  "/2015-03-31/functions/orders/configuration": { GET: "read", HEAD: "read", PUT: "write" },
  "/2015-03-31/functions/orders/code": { PUT: "write" },
  "/2015-03-31/functions/orders/invocations": { POST: "write" },
  "/millrace/v1/functions/orders/errors": { GET: "read", HEAD: "read" },
  // Services that find their operations by a header: one that is not named is not built.
  "/": { GET: "public", HEAD: "public", POST: "read" },
  "/millrace/v1/rollouts": { GET: "read", HEAD: "read", POST: "write" },
  "/millrace/v1/rollouts/d-A/stop": { POST: "write" },
  "/page/main.js": { GET: "public", HEAD: "public" },
  "/millrace/v1/me": { GET: "read", HEAD: "read" },
  "/millrace/v1/test-pattern": { POST: "read" },
  "/unknown": {},
};

test("every path and method is closed but to those who have its role", async (t) => {
  const world = new ControlWorld();
  const { plane } = await world.start("a");
  let nowMs = 0;
  const clock = { ...createSystemClock(), monotonic: () => nowMs };
  const app = createApp(apiOptions(plane, { credentials: testCredentials(t), clock }));
  t.after(() => app.close());
  const callers = {
    nobody: undefined,
    wrong: "Bearer wrong-wrong-wrong-wrong-wrong-wrong",
    basic: "Basic dXNlcjpwYXNz",
    read: `Bearer ${READ_TOKEN}`,
    write: `Bearer ${WRITE_TOKEN}`,
  };
  for (const [url, needs] of Object.entries(NEEDS)) {
    for (const method of METHODS) {
      for (const [caller, authorization] of Object.entries(callers)) {
        nowMs += 1_000;
        const headers = { host: "localhost", ...(authorization === undefined ? {} : { authorization }) };
        const { statusCode } = await app.inject({ method, url, headers });
        const need = needs[method];
        const isAllowed = need === "public" || caller === "write" || (need === "read" && caller === "read");
        const what = `${caller} ${method} ${url}: ${statusCode}`;
        if (need === undefined) assert.equal(statusCode, 404, what);
        else if (isAllowed) assert(statusCode !== 403 && (statusCode < 500 || statusCode === 501), what);
        else assert.equal(statusCode, 403, what);
      }
    }
  }
});

test("a route that nobody gave a role is closed, also where no credentials are asked for", async (t) => {
  for (const credentials of [undefined, testCredentials(t)]) {
    const app = createApp(apiOptions(undefined, { credentials }));
    t.after(() => app.close());
    app.get("/forgotten", async () => "secret");
    const headers = { host: "localhost", authorization: `Bearer ${WRITE_TOKEN}` };
    const { statusCode, body } = await app.inject({ url: "/forgotten", headers });
    assert.equal(statusCode, 403);
    assert.doesNotMatch(body, /secret/);
  }
});

test("AWS's SDK is known by its signature, and by nothing less", async (t) => {
  const world = new ControlWorld();
  const { plane } = await world.start("a");
  let nowMs = Date.now();
  const clock = { ...createSystemClock(), now: () => nowMs };
  const lines: AuditLine[] = [];
  const server = await startApiServer(apiOptions(plane, { credentials: testCredentials(t), clock }, lines));
  t.after(() => server.close());
  const clientOf = (credentials: typeof WRITE_KEY) => {
    const client = new LambdaClient({
      region: "eu-west-1",
      endpoint: server.url,
      credentials,
      maxAttempts: 1,
    });
    t.after(() => client.destroy());
    return client;
  };
  const writer = clientOf(WRITE_KEY);
  const create = new CreateEventSourceMappingCommand({ FunctionName: "orders", EventSourceArn: QUEUE });
  const made = await writer.send(create);
  await world.quiet();
  const filter = new ListEventSourceMappingsCommand({
    EventSourceArn: QUEUE,
    FunctionName: "orders",
    MaxItems: 5,
  });
  assert.equal((await clientOf(READ_KEY).send(filter)).EventSourceMappings?.length, 1);
  assert.deepEqual(
    (await writer.send(new ListTagsCommand({ Resource: made.EventSourceMappingArn }))).Tags,
    {},
  );
  await writer.send(new InvokeCommand({ FunctionName: "orders:$LATEST", InvocationType: "DryRun" }));
  await assert.rejects(clientOf(READ_KEY).send(create), { name: "AccessDeniedException" });
  const wrongSecret = { ...WRITE_KEY, secretAccessKey: `${WRITE_KEY.secretAccessKey}x` };
  await assert.rejects(clientOf(wrongSecret).send(filter), { name: "InvalidSignatureException" });
  const nobody = { accessKeyId: "AKIANOBODYNOBODYNOBO", secretAccessKey: "" };
  await assert.rejects(clientOf({ ...nobody, secretAccessKey: "x" }).send(filter), {
    name: "UnrecognizedClientException",
  });
  nowMs += 6 * 60_000;
  await assert.rejects(clientOf(WRITE_KEY).send(filter), { name: "InvalidSignatureException" });
  assert.deepEqual(
    lines.map(({ fields: { caller, action, uuid, function: fn, outcome } }) => [
      caller,
      action,
      uuid ?? fn,
      outcome,
    ]),
    [
      ["signer", "CreateEventSourceMapping", made.UUID, 202],
      ["signer", "Invoke", "orders", 204],
      ["looker", "CreateEventSourceMapping", undefined, 403],
    ],
  );
});

test("a signed request that was changed on the way is refused", async (t) => {
  const world = new ControlWorld();
  const { plane } = await world.start("a");
  const app = createApp(apiOptions(plane, { credentials: testCredentials(t) }));
  t.after(() => app.close());
  const sent: { method: string; url: string; headers: Record<string, string>; body: string }[] = [];
  const client = new LambdaClient({
    region: "eu-west-1",
    endpoint: "http://localhost:1",
    credentials: WRITE_KEY,
  });
  client.middlewareStack.add(
    () => async (args) => {
      const { method, path, headers, body } = args.request as unknown as Record<string, string> & {
        headers: Record<string, string>;
      };
      sent.push({
        method: method ?? "",
        url: path ?? "",
        headers,
        body: new TextDecoder().decode(Buffer.from(body ?? "")),
      });
      throw new Error("captured");
    },
    { step: "finalizeRequest", priority: "low" },
  );
  const create = new CreateEventSourceMappingCommand({ FunctionName: "orders", EventSourceArn: QUEUE });
  await assert.rejects(client.send(create), /captured/);
  const [whole] = sent;
  assert(whole !== undefined);
  const send = async ({ method, url, headers, body }: typeof whole) =>
    (await app.inject({ method: method as "POST", url, headers, body })).statusCode;
  const headers = (changes: Record<string, string>) => ({
    ...whole,
    headers: { ...whole.headers, ...changes },
  });
  const authorization = whole.headers["authorization"] ?? "";
  const changed = [
    { ...whole, body: whole.body.replace("orders", "others") },
    { ...whole, url: `${whole.url}?FunctionName=x` },
    { ...whole, url: `${whole.url}/${UUID}`, method: "PUT" },
    headers({ host: "127.0.0.1" }),
    headers({ "x-amz-date": "20200101T000000Z" }),
    headers({ "x-amz-content-sha256": "UNSIGNED-PAYLOAD" }),
    headers({ "x-amz-invocation-type": "Event" }),
    headers({ authorization: authorization.replace("/lambda/", "/s3/") }),
    headers({ authorization: authorization.replace(/SignedHeaders=[^,]*/, "SignedHeaders=host") }),
    headers({ authorization: authorization.replace(/Signature=..../, "Signature=0000") }),
    headers({ authorization: authorization.slice(0, 60) }),
  ];
  for (const request of changed) assert.equal(await send(request), 403, JSON.stringify(request));
  assert.deepEqual(await world.mappings.list(["mapping"]), []);
  assert.equal(await send(whole), 202);
});

test("a caller has a rate, and who guesses has a low one", async (t) => {
  let nowMs = 0;
  const clock = { ...createSystemClock(), monotonic: () => nowMs };
  const world = new ControlWorld();
  const { plane } = await world.start("a");
  const app = createApp(apiOptions(plane, { credentials: testCredentials(t), clock }));
  t.after(() => app.close());
  const statusOf = async (token: string) => {
    const headers = { host: "localhost", authorization: `Bearer ${token}` };
    return (await app.inject({ url: MAPPINGS, headers })).statusCode;
  };
  const counts = { 200: 0, 429: 0 };
  for (let call = 0; call < 500; call++) counts[(await statusOf(READ_TOKEN)) as 200 | 429] += 1;
  assert.deepEqual(counts, { 200: 400, 429: 100 });
  assert.equal(await statusOf(WRITE_TOKEN), 200, "another caller has a rate of its own");
  nowMs += 1_000;
  assert.equal(await statusOf(READ_TOKEN), 200);
  let refused = 0;
  while ((await statusOf("guess")) === 403) refused += 1;
  assert(refused < 50, `${refused} guesses were looked at`);
  assert.equal(await statusOf("guess"), 429, "the address waits");
  assert.equal(await statusOf(READ_TOKEN), 200, "who is known does not");
});

test("web pages and foreign names are refused, other names only when they are given", async (t) => {
  const app = createApp(apiOptions(undefined, { hosts: ["Millrace.Example"] }));
  t.after(() => app.close());
  const statusOf = async (headers: Record<string, string>, method: "GET" | "POST" = "GET") =>
    (await app.inject({ method, url: method === "GET" ? "/healthz" : MAPPINGS, headers })).statusCode;
  assert.equal(await statusOf({ host: "millrace.example:8080" }), 200);
  assert.equal(await statusOf({ host: "evil.example" }), 421);
  const page = { host: "localhost", origin: "https://evil.example", "content-type": "text/plain" };
  assert.equal(await statusOf(page, "POST"), 403);
});

test("other addresses than loopback need credentials", () => {
  assert.throws(() => parseServerAddress("0.0.0.0:8080"), /--api-credentials FILE/);
  assert.deepEqual(parseServerAddress("0.0.0.0:8080", true), { host: "0.0.0.0", port: 8080 });
});

test("metrics and health have a server of their own where that is wanted", async (t) => {
  const options = apiOptions(undefined, {
    credentials: testCredentials(t),
    metricsText: async () => "millrace_x 1\n",
  });
  const app = createApp({ ...options, isMetricsElsewhere: true });
  t.after(() => app.close());
  const metrics = await startMetricsServer(options);
  t.after(() => metrics.close());
  assert.equal(await (await fetch(`${metrics.url}/metrics`)).text(), "millrace_x 1\n");
  assert.equal((await fetch(`${metrics.url}/healthz`)).status, 200);
  assert.equal((await fetch(`${metrics.url}${MAPPINGS}`)).status, 404);
  const headers = { host: "localhost", authorization: `Bearer ${WRITE_TOKEN}` };
  assert.equal((await app.inject({ url: "/metrics", headers })).statusCode, 404);
});

test("a list of roles gives exactly those, and a single one what it always gave", (t) => {
  const path = join(folderWith(t, {}), "c.yaml");
  const given = [
    "role: read",
    "role: inspect",
    "role: write",
    "role: send",
    "roles: [write, read]",
    "roles: [write]",
  ];
  const token = "hunter2hunter2hunter2hunter2hunter2";
  writeFileSync(
    path,
    `tokens:\n${given.map((role, index) => `  - { name: a${index}, ${role}, token: ${token}${index} }\n`).join("")}`,
  );
  const { tokens } = readCredentials(path, {});
  const may = tokens.map(({ caller }) => ROLES.filter((role) => isLetThrough(caller, role)));
  assert.deepEqual(may, [
    ["read"],
    ["read", "inspect"],
    ["read", "inspect", "write", "send"],
    ["send"],
    ["read", "write"],
    ["write"],
  ]);
});

function isLetThrough(caller: Caller, role: Role): boolean {
  try {
    checkRole(caller, role);
    return true;
  } catch {
    return false;
  }
}

test("credentials that cannot be meant end the start, and no secret is said", (t) => {
  const folder = folderWith(t, {});
  const path = join(folder, "c.yaml");
  const bad = [
    ["tokens: []", "it names nobody"],
    ["tokens: [{ name: a, role: read, token: hunter2 }]", "fewer than 32 bytes"],
    ["tokens: [{ name: a, role: admin, token: hunter2hunter2hunter2hunter2hunter2 }]", "tokens.0.role"],
    ["tokens: [{ name: a, role: read }]", "needs its secret once"],
    ["tokens: [{ name: a, token: hunter2hunter2hunter2hunter2hunter2 }]", "a needs either role or roles"],
    [
      "tokens: [{ name: a, role: read, roles: [write], token: hunter2hunter2hunter2hunter2hunter2 }]",
      "a needs either role or roles",
    ],
    ["tokens: [{ name: a, roles: [], token: hunter2hunter2hunter2hunter2hunter2 }]", "tokens.0.roles"],
    ["tokens: [{ name: a, roles: [admin], token: hunter2hunter2hunter2hunter2hunter2 }]", "tokens.0.roles.0"],
    ["tokens: [{ name: a, role: read, tokenEnv: NOT_SET }]", "NOT_SET of a is not set"],
    ["tokens: [{ name: a, role: read, token: hunter2, what: 1 }]", "unrecognized_keys"],
    ["tokens: [{ hunter2", "not valid at line"],
  ] as const;
  for (const [text, reason] of bad) {
    writeFileSync(path, text);
    assert.throws(
      () => readCredentials(path, {}),
      (error) => {
        assert(error instanceof Error);
        assert(error.message.includes(reason), error.message);
        assert.doesNotMatch(error.message, /hunter2/);
        return true;
      },
    );
  }
  assert.throws(() => readCredentials(join(folder, "none.yaml"), {}), /ENOENT/);
});
