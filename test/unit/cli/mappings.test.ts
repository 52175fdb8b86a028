import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { folderWith } from "../manifests/manifest-samples.ts";
import { runWords } from "./captured-host.ts";

interface Asked {
  readonly call: string;
  readonly body: unknown;
  readonly authorization: string | undefined;
}

interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body: unknown;
}

const UUID = "11111111-2222-4333-8444-555555555555";
const MAPPING = {
  UUID,
  State: "Enabled",
  FunctionArn: "arn:aws:lambda:eu-west-1:000000000000:function:orders:live",
  EventSourceArn: "arn:aws:kinesis:eu-west-1:000000000000:stream/orders",
  LastProcessingResult: "OK",
  LastModified: 1_560_209_851.963,
  DestinationConfig: { OnFailure: {} },
};

/**
 * An API that answers with `answers` in turn, and then with the last of them again; `millrace` runs a command on it.
 */
async function fakeApi(t: TestContext, ...answers: readonly Answer[]) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const {
        status = 200,
        headers = {},
        body,
      } = answers[Math.min(asked.length, answers.length - 1)] ?? { body: {} };
      asked.push({
        call: `${request.method} ${request.url}`,
        body: text === "" ? undefined : JSON.parse(text),
        authorization: request.headers.authorization,
      });
      response.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const millrace = (words: readonly string[], environment: Record<string, string> = {}) =>
    runWords(["mappings", ...words, "--api", url], {}, environment);
  return { url, asked, millrace };
}

test("lists the names of mappings that have one, and explains by name, with and without the group's word", async (t) => {
  const { asked, millrace, url } = await fakeApi(
    t,
    {
      body: {
        EventSourceMappings: [
          { ...MAPPING, Name: "orders-stream" },
          { ...MAPPING, UUID: "2" },
        ],
      },
    },
    { body: { text: ["orders-stream: Enabled"] } },
  );
  const [head, named, unnamed] = (await millrace(["list"])).stdout.split("\n");
  assert.match(head ?? "", /^UUID +NAME +STATE /);
  assert.match(named ?? "", /^\S+ {2}orders-stream {2}Enabled /);
  assert.match(unnamed ?? "", /^2 +Enabled /);
  assert.equal((await millrace(["explain", "orders-stream"])).stdout, "orders-stream: Enabled\n");
  const short = await runWords(["explain", "orders stream", "shard-1", "--api", url]);
  assert.deepEqual([short.status, short.stdout], [0, "orders-stream: Enabled\n"]);
  assert.deepEqual(
    asked.slice(1).map(({ call }) => call),
    [
      "GET /millrace/v1/mappings/orders-stream/explain",
      "GET /millrace/v1/mappings/orders%20stream/explain?part=shard-1",
    ],
  );
});

test("lists the mappings of all pages as a table, or as JSON", async (t) => {
  const other = {
    ...MAPPING,
    UUID: "2",
    EventSourceArn: undefined,
    Topics: ["t"],
    LastProcessingResult: "a\u001bb",
  };
  const { asked, millrace } = await fakeApi(
    t,
    { body: { EventSourceMappings: [MAPPING], NextMarker: "next" } },
    { body: { EventSourceMappings: [other] } },
    { body: { EventSourceMappings: [] } },
  );
  const { status, stdout } = await millrace(["list", "--function-name", "orders:live"]);
  assert.deepEqual(
    asked.map(({ call }) => call),
    [
      "GET /2015-03-31/event-source-mappings?FunctionName=orders%3Alive",
      "GET /2015-03-31/event-source-mappings?FunctionName=orders%3Alive&Marker=next",
    ],
  );
  const pad = " ".repeat(35);
  assert.deepEqual(
    { status, stdout },
    {
      status: 0,
      stdout: `UUID                                  STATE    FUNCTION     SOURCE                                                LAST RESULT
${UUID}  Enabled  orders:live  arn:aws:kinesis:eu-west-1:000000000000:stream/orders  OK
2${pad}  Enabled  orders:live  ["t"]                                                 a\u{fffd}b
`,
    },
  );
  assert.equal((await millrace(["list"])).stdout, "There is no event source mapping.\n");
  const json = await millrace(["list", "--json"]);
  assert.deepEqual(JSON.parse(json.stdout), { EventSourceMappings: [] });
});

test("shows a mapping's members, its identity and state first", async (t) => {
  const { asked, millrace } = await fakeApi(t, { body: MAPPING });
  const { stdout } = await millrace(["get", UUID]);
  assert.equal(asked[0]?.call, `GET /2015-03-31/event-source-mappings/${UUID}`);
  assert.deepEqual(stdout.split("\n"), [
    `UUID                  ${UUID}`,
    "State                 Enabled",
    "LastProcessingResult  OK",
    "FunctionArn           arn:aws:lambda:eu-west-1:000000000000:function:orders:live",
    "EventSourceArn        arn:aws:kinesis:eu-west-1:000000000000:stream/orders",
    'DestinationConfig     {"OnFailure":{}}',
    "LastModified          2019-06-10T23:37:31.963Z",
    "",
  ]);
  assert.deepEqual(JSON.parse((await millrace(["get", UUID, "--json"])).stdout), MAPPING);
});

const CREATED: readonly (readonly [words: string, body: object])[] = [
  [
    "--event-source-arn a --function-name f --starting-position AT_TIMESTAMP --starting-position-timestamp 2026-01-31T12:00:00Z",
    {
      EventSourceArn: "a",
      FunctionName: "f",
      StartingPosition: "AT_TIMESTAMP",
      StartingPositionTimestamp: 1_769_860_800,
    },
  ],
  [
    "--batch-size 7 --maximum-batching-window-in-seconds 2 --parallelization-factor 3 --maximum-retry-attempts -1",
    { BatchSize: 7, MaximumBatchingWindowInSeconds: 2, ParallelizationFactor: 3, MaximumRetryAttempts: -1 },
  ],
  [
    "--maximum-record-age-in-seconds=-1 --tumbling-window-in-seconds 60 --no-enabled --bisect-batch-on-function-error",
    {
      MaximumRecordAgeInSeconds: -1,
      TumblingWindowInSeconds: 60,
      Enabled: false,
      BisectBatchOnFunctionError: true,
    },
  ],
  [
    '--function-response-types ReportBatchItemFailures --filter {"a":[1]} --filter {"a":[2]} --on-failure arn',
    {
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      FilterCriteria: { Filters: [{ Pattern: '{"a":[1]}' }, { Pattern: '{"a":[2]}' }] },
      DestinationConfig: { OnFailure: { Destination: "arn" } },
    },
  ],
  [
    "--bootstrap-server a:1 --bootstrap-server b:2 --topics t --maximum-concurrency 5 --tag team=a=b --tag x=",
    {
      SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ["a:1", "b:2"] } },
      Topics: ["t"],
      ScalingConfig: { MaximumConcurrency: 5 },
      Tags: { team: "a=b", x: "" },
    },
  ],
  ['--cli-input-json {"BatchSize":1,"KMSKeyArn":"k"} --batch-size 2', { BatchSize: 2, KMSKeyArn: "k" }],
];

for (const [words, body] of CREATED) {
  test(`creates with Lambda's members: ${words}`, async (t) => {
    const { asked, millrace } = await fakeApi(t, { status: 202, body: MAPPING });
    const { status, stderr } = await millrace(["create", ...words.split(" ")]);
    assert.deepEqual([status, stderr], [0, ""]);
    assert.equal(asked[0]?.call, "POST /2015-03-31/event-source-mappings");
    assert.deepEqual(asked[0]?.body, body);
  });
}

test("takes a file of members, also as AWS's command line names it", async (t) => {
  const { asked, millrace } = await fakeApi(t, { status: 202, body: MAPPING });
  const file = join(folderWith(t, { "m.json": '{"FunctionName":"f"}' }), "m.json");
  await millrace(["create", "--cli-input-json", file]);
  await millrace(["update", UUID, "--cli-input-json", `file://${file}`]);
  assert.deepEqual(
    asked.map(({ body }) => body),
    [{ FunctionName: "f" }, { FunctionName: "f" }],
  );
  const missing = await millrace(["create", "--cli-input-json", `${file}.none`]);
  assert.equal(missing.status, 2);
  assert.match(missing.stderr, /^millrace: The file of --cli-input-json cannot be read: ENOENT/);
});

const CHANGES: readonly (readonly [words: readonly string[], call: string, body: unknown])[] = [
  [["update", UUID, "--batch-size", "5"], "PUT", { BatchSize: 5 }],
  [["enable", UUID], "PUT", { Enabled: true }],
  [["disable", UUID], "PUT", { Enabled: false }],
  [["delete", UUID], "DELETE", undefined],
];

for (const [words, method, body] of CHANGES) {
  test(`asks for a change: ${words.join(" ")}`, async (t) => {
    const { asked, millrace } = await fakeApi(t, { status: 202, body: { ...MAPPING, State: "Updating" } });
    const { status, stdout } = await millrace(words);
    assert.equal(status, 0);
    assert.match(stdout, /^State +Updating$/m);
    const call = `${method} /2015-03-31/event-source-mappings/${UUID}`;
    assert.deepEqual(asked, [{ call, body, authorization: undefined }]);
  });
}

test("explains in the API's lines", async (t) => {
  const { asked, millrace } = await fakeApi(t, { body: { text: ["orders: Enabled", "  \u0007"] } });
  const { stdout } = await millrace(["explain", UUID, "shard/0"]);
  assert.equal(stdout, "orders: Enabled\n  \u{fffd}\n");
  assert.equal(asked[0]?.call, `GET /millrace/v1/mappings/${UUID}/explain?part=shard%2F0`);
});

test("sends the token of the environment, and nowhere else than to the server that was named", async (t) => {
  const elsewhere = await fakeApi(t, { body: MAPPING });
  const { asked, millrace } = await fakeApi(
    t,
    { body: MAPPING },
    { status: 307, headers: { location: elsewhere.url }, body: "" },
  );
  await millrace(["get", UUID], { MILLRACE_API_TOKEN: "secret" });
  assert.equal(asked[0]?.authorization, "Bearer secret");
  const moved = await millrace(["get", UUID], { MILLRACE_API_TOKEN: "secret" });
  assert.equal(moved.status, 1);
  assert.deepEqual(elsewhere.asked, []);
  assert(!moved.stderr.includes("secret"), moved.stderr);
});

const FAULTS: readonly (readonly [answer: Answer, status: number, message: string])[] = [
  [
    {
      status: 404,
      headers: { "x-amzn-ErrorType": "ResourceNotFoundException" },
      body: { Type: "User", Message: "The resource you requested does not exist." },
    },
    2,
    "ResourceNotFoundException: The resource you requested does not exist. See millrace mappings list.",
  ],
  [
    {
      status: 400,
      headers: { "x-amzn-ErrorType": "InvalidParameterValueException:http://internal" },
      body: { message: "Function does not exist" },
    },
    2,
    "InvalidParameterValueException: Function does not exist",
  ],
  [
    {
      status: 400,
      headers: { "x-amzn-ErrorType": "ResourceInUseException" },
      body: { Message: "It is in use." },
    },
    1,
    "ResourceInUseException: It is in use. Try again when its State is Enabled or Disabled.",
  ],
  [
    { status: 403, headers: { "x-amzn-ErrorType": "AccessDeniedException" }, body: { Message: "No." } },
    2,
    "AccessDeniedException: No. Set MILLRACE_API_TOKEN.",
  ],
  [
    { status: 429, headers: { "x-amzn-ErrorType": "TooManyRequestsException" }, body: { message: "Slow." } },
    1,
    "TooManyRequestsException: Slow.",
  ],
  [{ status: 200, body: "<html>" }, 2, "Status 200: The answer is none of millrace's API."],
  [{ status: 502, body: "[]" }, 1, "Status 502: The answer is none of millrace's API."],
];

for (const [answer, status, message] of FAULTS) {
  test(`says what the API refuses, exit status ${status}: ${message}`, async (t) => {
    const { millrace } = await fakeApi(t, answer);
    assert.deepEqual(await millrace(["get", UUID]), { status, stdout: "", stderr: `millrace: ${message}\n` });
  });
}

test("says where nothing answers", async () => {
  const { status, stderr } = await runWords(["mappings", "list", "--api", "127.0.0.1:1"]);
  assert.equal(status, 1);
  assert.match(
    stderr,
    /^millrace: The API at http:\/\/127\.0\.0\.1:1 does not answer: .+ Check that millrace runs there, or name another with --api URL\.$/m,
  );
});
