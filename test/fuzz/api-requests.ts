import type { SeededRandom } from "../simulation/random.ts";
import { READ_TOKEN, WRITE_TOKEN } from "../unit/api/api-fixture.ts";
import { anyText, hostileBody, type Json, mutated } from "./hostile-json.ts";

export interface FuzzRequest {
  readonly method: (typeof METHODS)[number];
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

export const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"] as const;
const MAPPINGS = "/2015-03-31/event-source-mappings";
const TAGS = "/2017-03-31/tags";
const FUNCTIONS = "/2015-03-31/functions";
const ACCOUNT = "arn:aws:lambda:eu-west-1:123456789012";

const SOURCES: readonly { readonly [name: string]: Json }[] = [
  { EventSourceArn: "arn:aws:sqs:eu-west-1:123456789012:orders" },
  { EventSourceArn: "arn:aws:sqs:eu-west-1:123456789012:orders.fifo", BatchSize: 10 },
  { EventSourceArn: "arn:aws:local:eu-west-1:123456789012:stream/orders", StartingPosition: "LATEST" },
  {
    SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ["a:9092"] } },
    Topics: ["orders"],
    SourceAccessConfigurations: [{ Type: "SASL_SCRAM_512_AUTH", URI: "secret" }],
  },
  {},
];

const MEMBERS: { readonly [name: string]: Json } = {
  Enabled: true,
  BatchSize: 10,
  MaximumBatchingWindowInSeconds: 1,
  FilterCriteria: { Filters: [{ Pattern: '{"body":{"a":[{"numeric":[">",1]}]}}' }] },
  KMSKeyArn: "arn:aws:kms:eu-west-1:123456789012:key/x",
  MetricsConfig: { Metrics: ["EventCount"] },
  ScalingConfig: { MaximumConcurrency: 2 },
  ParallelizationFactor: 2,
  StartingPosition: "TRIM_HORIZON",
  StartingPositionTimestamp: 1_560_209_851.5,
  DestinationConfig: { OnFailure: { Destination: "arn:aws:sqs:eu-west-1:123456789012:failed" } },
  MaximumRecordAgeInSeconds: 60,
  BisectBatchOnFunctionError: true,
  MaximumRetryAttempts: 3,
  TumblingWindowInSeconds: 30,
  FunctionResponseTypes: ["ReportBatchItemFailures"],
  Topics: ["orders"],
  SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: "g" },
  ProvisionedPollerConfig: { MinimumPollers: 1 },
  Tags: { team: "a" },
};

/** One request that a friend could have made, with things changed in it. `uuids` are of mappings that are there. */
export function anyRequest(random: SeededRandom, uuids: readonly string[]): FuzzRequest {
  const { method, url, body, isPayload } = anyOperation(random, uuids);
  const query = random.chance(0.3) ? `?${anyQuery(random)}` : "";
  return {
    method: random.chance(0.05) ? random.pick(METHODS) : method,
    url: (random.chance(0.1) ? mangledPath(url, random) : url) + query,
    headers: anyHeaders(random),
    body:
      body === undefined ? Buffer.alloc(0) : isPayload ? payload(body, random) : hostileBody(body, random),
  };
}

interface Operation {
  readonly method: FuzzRequest["method"];
  readonly url: string;
  readonly body?: Json;
  readonly isPayload?: boolean;
}

function anyOperation(random: SeededRandom, uuids: readonly string[]): Operation {
  const uuid = random.chance(0.8) && uuids.length > 0 ? random.pick(uuids) : random.uuid();
  const arn = encodeURIComponent(random.chance(0.8) ? mappingArn(uuid) : anyText(random).toWellFormed());
  const named = random.pick([
    "orders",
    "versioned:1",
    `${ACCOUNT}:function:orders`,
    "nobody",
    anyText(random),
  ]);
  const fn = encodeURIComponent(named.toWellFormed());
  const slash = random.chance(0.2) ? "/" : "";
  switch (random.int(0, 13)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return { method: "POST", url: MAPPINGS + slash, body: anyMapping(random, random.pick(SOURCES)) };
    case 4:
    case 5:
      return { method: "PUT", url: `${MAPPINGS}/${uuid}${slash}`, body: anyMapping(random, {}) };
    case 6:
      return { method: "DELETE", url: `${MAPPINGS}/${uuid}${slash}` };
    case 7:
      return { method: "GET", url: `${MAPPINGS}/${uuid}${slash}` };
    case 8:
      return { method: "GET", url: `${MAPPINGS}${slash}` };
    case 9:
      return {
        method: "POST",
        url: `${TAGS}/${arn}`,
        body: changed({ Tags: { team: "b", a: "1" } }, random),
      };
    case 10:
      return { method: random.pick(["GET", "DELETE"]), url: `${TAGS}/${arn}?tagKeys=team` };
    case 11:
      return { method: "GET", url: `${FUNCTIONS}/${fn}${random.pick(["", "/configuration"])}` };
    case 12:
      return { method: "POST", url: `${FUNCTIONS}/${fn}/invocations`, body: { a: 1 }, isPayload: true };
    default:
      return {
        method: "GET",
        url: random.pick(["/healthz", "/readyz", "/metrics", "/millrace/v1/status", "/"]),
      };
  }
}

export function mappingArn(uuid: string): string {
  return `${ACCOUNT}:event-source-mapping:${uuid}`;
}

function anyMapping(random: SeededRandom, source: Readonly<Record<string, Json>>): Json {
  const names = Object.keys(MEMBERS).filter(() => random.chance(0.06));
  const members = names.map((name): [string, Json] => [name, MEMBERS[name] ?? null]);
  const functionName = random.pick(["orders", "other", "versioned:1", `${ACCOUNT}:function:orders`]);
  return changed({ FunctionName: functionName, ...Object.fromEntries(members), ...source }, random);
}

function changed(value: Json, random: SeededRandom): Json {
  let result = value;
  while (random.chance(0.45)) result = mutated(result, random);
  return result;
}

function payload(value: Json, random: SeededRandom): Buffer {
  return random.chance(0.001) ? Buffer.alloc(6 * 1024 * 1024 + 1, 0x31) : hostileBody(value, random);
}

function mangledPath(path: string, random: SeededRandom): string {
  const at = random.int(1, path.length);
  const piece = random.pick([
    "%00",
    "%2e%2e%2f",
    "..",
    "//",
    "%",
    "%ff",
    "%E0%A4%A",
    ";a=b",
    "__proto__",
    "%5c",
    "a".repeat(1_100),
    "%F0%9F%92%A5",
    "*",
    ":uuid",
  ]);
  return path.slice(0, at) + piece + path.slice(random.chance(0.5) ? at : at + 1);
}

function anyQuery(random: SeededRandom): string {
  const names = [
    "EventSourceArn",
    "FunctionName",
    "Marker",
    "MaxItems",
    "Qualifier",
    "tagKeys",
    "__proto__",
    "constructor[prototype][x]",
    "a[]",
  ];
  const values = [
    "",
    "1",
    "0",
    "-1",
    "10001",
    "1e3",
    "orders",
    "AAAA",
    "%00",
    "%zz",
    "a&a",
    "a=b=c",
    "%F0%28",
  ];
  const pairs = Array.from({ length: random.int(0, 4) }, () => {
    const value = random.chance(0.7)
      ? random.pick(values)
      : encodeURIComponent(anyText(random).toWellFormed());
    return `${random.pick(names)}=${value}`;
  });
  return pairs.join(random.pick(["&", "&", ";", "&&"]));
}

/** Mostly of one who may write. */
function anyHeaders(random: SeededRandom): Record<string, string> {
  const headers: [string, string][] = [["host", "localhost"]];
  const tokens = [
    `Bearer ${READ_TOKEN}`,
    "Bearer x",
    "Basic eA==",
    "AWS4-HMAC-SHA256 Credential=x",
    "Bearer ",
  ];
  const authorization = random.chance(0.9) ? `Bearer ${WRITE_TOKEN}` : random.pick(tokens);
  if (!random.chance(0.01)) headers.push(["authorization", authorization]);
  const types = ["application/json", "application/x-amz-json-1.1", "text/plain", "a/b;c=\u00ff", ";", "x"];
  if (random.chance(0.5))
    headers.push(["content-type", random.chance(0.8) ? "application/json" : random.pick(types)]);
  const others: readonly [string, string][] = [
    ["x-amz-invocation-type", random.pick(["RequestResponse", "DryRun", "Event", "event", "", "x"])],
    ["x-amz-date", random.pick(["20260101T000000Z", "20269999T999999Z", "x"])],
    ["x-amz-content-sha256", "UNSIGNED-PAYLOAD"],
    ["x-amz-client-context", "e30="],
    ["origin", "https://evil.example"],
    ["host", random.pick(["evil.example", "", "localhost:99999", "[::1", "LOCALHOST", "127.0.0.1"])],
    ["accept", "*/*;q=x"],
    ["accept-encoding", "gzip, br"],
    ["constructor", "x"],
    ["x-http-method-override", "DELETE"],
    ["authorization", signed(random)],
  ];
  for (const header of others) if (random.chance(0.02)) headers.push(header);
  return Object.fromEntries(headers);
}

function signed(random: SeededRandom): string {
  const names = random.pick(["host", "host;x-amz-date", "", ";;;", "__proto__", "constructor"]);
  const credential = random.pick([
    "AKIAWRITEWRITEWRITE1/20260101/eu-west-1/lambda/aws4_request",
    "AKIAWRITEWRITEWRITE1/////",
    "x",
  ]);
  return `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${"0".repeat(64)}`;
}
