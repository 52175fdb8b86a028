import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

/** A span as a collector reads it from OTLP's JSON. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly traceState: string | undefined;
  readonly flags: number;
  readonly name: string;
  readonly kind: number;
  readonly startNanos: bigint;
  readonly endNanos: bigint;
  readonly attributes: Readonly<Record<string, string | bigint>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly droppedLinks: number;
  readonly error: string | undefined;
  readonly resource: Readonly<Record<string, string | bigint>>;
}

export interface OtlpCollector {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  readonly requests: {
    readonly path: string;
    readonly headers: IncomingHttpHeaders;
    readonly text: string;
  }[];
  /** What a request could not be read for: a test fails on any. */
  readonly faults: string[];
  /** How requests are answered. Default: 200 and `{}`. */
  answer: (response: ServerResponse) => void;
  close(): Promise<void>;
}

/** A collector on a loopback port that reads OTLP's JSON as strictly as its specification allows. */
export async function startOtlpCollector(port = 0): Promise<OtlpCollector> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const bytes = Buffer.concat(chunks);
      const isGzip = request.headers["content-encoding"] === "gzip";
      const text = (isGzip ? gunzipSync(bytes) : bytes).toString();
      collector.requests.push({ path: request.url ?? "", headers: request.headers, text });
      try {
        assert.equal(request.method, "POST");
        assert.equal(request.headers["content-type"], "application/json");
        collector.spans.push(...decode(text));
      } catch (error) {
        collector.faults.push(String(error));
      }
      collector.answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const collector: OtlpCollector = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: [],
    requests: [],
    faults: [],
    answer: (response) => response.setHeader("content-type", "application/json").end("{}"),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return collector;
}

type Json = Record<string, unknown>;

/**
 * `ExportTraceServiceRequest`. Unknown members and wrong types are faults, as they are to a strict parser of protobuf's
 * JSON.
 */
function decode(text: string): ReceivedSpan[] {
  const request = members(JSON.parse(text), ["resourceSpans"]);
  return list(request["resourceSpans"]).flatMap((one) => {
    const { resource, scopeSpans } = members(one, ["resource", "scopeSpans"]);
    const resourceAttributes = decodeAttributes(members(resource, ["attributes"])["attributes"]);
    return list(scopeSpans).flatMap((scoped) => {
      const { scope, spans } = members(scoped, ["scope", "spans"]);
      const { name, version } = members(scope, ["name", "version"]);
      assert.equal(name, "millrace");
      assert.equal(typeof version, "string");
      return list(spans).map((span) => decodeSpan(span, resourceAttributes));
    });
  });
}

const SPAN_MEMBERS = [
  "traceId",
  "spanId",
  "traceState",
  "parentSpanId",
  "flags",
  "name",
  "kind",
  "startTimeUnixNano",
  "endTimeUnixNano",
  "attributes",
  "links",
  "droppedLinksCount",
  "status",
];

function decodeSpan(value: unknown, resource: ReceivedSpan["resource"]): ReceivedSpan {
  const span = members(value, SPAN_MEMBERS);
  const kind = whole(span["kind"]);
  assert.ok(kind >= 1 && kind <= 5, "kind is one of the enum");
  const startNanos = fixed64(span["startTimeUnixNano"]);
  const endNanos = fixed64(span["endTimeUnixNano"]);
  assert.ok(endNanos >= startNanos, "a span ends after its begin");
  const status = span["status"] === undefined ? undefined : members(span["status"], ["code", "message"]);
  if (status !== undefined) assert.equal(status["code"], 2);
  return {
    traceId: hex(span["traceId"], 32),
    spanId: hex(span["spanId"], 16),
    parentSpanId: span["parentSpanId"] === undefined ? undefined : hex(span["parentSpanId"], 16),
    traceState: span["traceState"] === undefined ? undefined : text(span["traceState"]),
    flags: whole(span["flags"]),
    name: text(span["name"]),
    kind,
    startNanos,
    endNanos,
    attributes: decodeAttributes(span["attributes"]),
    links: list(span["links"] ?? []).map((link) => {
      const { traceId, spanId, traceState, flags } = members(link, [
        "traceId",
        "spanId",
        "traceState",
        "flags",
      ]);
      if (traceState !== undefined) text(traceState);
      whole(flags);
      return { traceId: hex(traceId, 32), spanId: hex(spanId, 16) };
    }),
    droppedLinks: whole(span["droppedLinksCount"] ?? 0),
    error: status === undefined ? undefined : text(status["message"]),
    resource,
  };
}

function decodeAttributes(value: unknown): Readonly<Record<string, string | bigint>> {
  const entries = list(value).map((one): [string, string | bigint] => {
    const { key, value: any } = members(one, ["key", "value"]);
    const { stringValue, intValue } = members(any, ["stringValue", "intValue"]);
    assert.ok((stringValue === undefined) !== (intValue === undefined), "an attribute has one value");
    return [text(key), stringValue === undefined ? fixed64(intValue) : text(stringValue)];
  });
  assert.equal(new Set(entries.map(([key]) => key)).size, entries.length, "keys are unique");
  return Object.fromEntries(entries);
}

function members(value: unknown, known: readonly string[]): Json {
  assert.ok(typeof value === "object" && value !== null && !Array.isArray(value), "an object");
  for (const name of Object.keys(value)) assert.ok(known.includes(name), `no member ${name} is known here`);
  return value as Json;
}

function list(value: unknown): readonly unknown[] {
  assert.ok(Array.isArray(value), "a list");
  return value;
}

function text(value: unknown): string {
  assert.ok(typeof value === "string", "a text");
  return value;
}

function whole(value: unknown): number {
  assert.ok(Number.isSafeInteger(value), "a whole number");
  return value as number;
}

/** 64-bit numbers are decimal strings in protobuf's JSON. */
function fixed64(value: unknown): bigint {
  assert.match(text(value), /^\d{1,20}$/);
  return BigInt(text(value));
}

/** OTLP's own rule: ids are hex, not base64. */
function hex(value: unknown, digits: number): string {
  assert.match(text(value), new RegExp(`^(?!0+$)[0-9a-f]{${digits}}$`));
  return text(value);
}
