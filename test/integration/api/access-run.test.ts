import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CreateEventSourceMappingCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { MillraceProcess } from "../cli/millrace-process.ts";
import { createControlRun, LOCAL_QUEUE } from "./control-run.ts";

const TOKEN = "canary-token-canary-token-canary-token";
const SECRET = "canary-secret-canary-secret-canary-secret";
const KEY = { accessKeyId: "AKIACANARYCANARY1234", secretAccessKey: SECRET };
const MAPPINGS = "2015-03-31/event-source-mappings";

test("with credentials the API serves only who has them, says who changed what, and writes no secret", async (t) => {
  const run = await createControlRun(t);
  writeFileSync(
    join(run.folder, "credentials.yaml"),
    `tokens: [{ name: reader, role: read, token: ${TOKEN} }]
keys: [{ name: signer, role: write, accessKeyId: ${KEY.accessKeyId}, secretAccessKey: ${SECRET} }]
`,
  );
  const flags = ["--api-credentials", "credentials.yaml", "--metrics", "127.0.0.1:0", "--log-level", "debug"];
  const { url, process } = await run.start(...flags);
  const statusOf = async (headers: Record<string, string>) =>
    (await fetch(`${url}/${MAPPINGS}`, { headers })).status;
  assert.deepEqual([await statusOf({}), await statusOf({ authorization: `Bearer ${TOKEN}` })], [403, 200]);

  const client = new LambdaClient({ region: "eu-west-1", endpoint: url, credentials: KEY, maxAttempts: 1 });
  t.after(() => client.destroy());
  const create = new CreateEventSourceMappingCommand({ FunctionName: "orders", EventSourceArn: LOCAL_QUEUE });
  const { UUID } = await client.send(create);
  const { level: _level, time: _time, requestId: _requestId, ...change } = await process.logged("api change");
  assert.deepEqual(change, {
    message: "api change",
    caller: "signer",
    action: "CreateEventSourceMapping",
    uuid: UUID,
    outcome: 202,
  });

  const metricsUrl = (await process.logged("started"))["metricsAddress"];
  assert.match(await (await fetch(`${metricsUrl}/metrics`)).text(), /millrace_/);
  assert.equal(
    (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })).status,
    404,
  );
  process.kill("SIGTERM");
  await process.ended;
  assert.doesNotMatch(process.stderr + process.stdout, /canary-/);
});

test("an address that others reach is not served without credentials", async (t) => {
  const { folder } = await createControlRun(t);
  const args = ["run", "-f", "functions.yaml", "--api", "0.0.0.0:0", "--store", "memory:"];
  const run = new MillraceProcess(t, args, folder);
  assert.equal((await run.ended).status, 2);
  assert.match(run.stderr, /without credentials only loopback addresses are allowed/);
});
