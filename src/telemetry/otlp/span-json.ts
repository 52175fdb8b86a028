import type { RemoteContext } from "../../model/trace-context.ts";
import type { CallSpan, DeliverySpan, InvocationSpan, Span, TraceSubject } from "../../ports/tracing.ts";

/** What the spans of a process share. */
export interface SpanSource {
  readonly resource: ReadonlyMap<string, string>;
  /** Millrace's own. */
  readonly version: string;
}

/** OTLP's JSON form of an export request: ids in hex, enums as numbers, 64-bit numbers as strings. */
export function encodeSpans(spans: readonly Span[], { resource, version }: SpanSource): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [...resource].map(([key, value]) => attribute(key, value)) },
        scopeSpans: [{ scope: { name: "millrace", version }, spans: spans.map(spanJson) }],
      },
    ],
  });
}

const KIND_CLIENT = 3;
const KIND_PRODUCER = 4;
const KIND_CONSUMER = 5;
const STATUS_ERROR = 2;
/**
 * Flags of OTLP: the lowest bit is W3C's "sampled"; these say that a parent is known to be, or not be, of another
 * process.
 */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

function spanJson(span: Span) {
  const { context, parent, startMs, durationMs, problem } = span;
  const { name, kind, attributes } = formOf(span);
  return {
    traceId: context.traceId,
    spanId: context.spanId,
    ...(context.traceState === undefined ? {} : { traceState: context.traceState }),
    ...(parent?.spanId === undefined ? {} : { parentSpanId: parent.spanId }),
    flags: flagsOf(context.sampled),
    name,
    kind,
    startTimeUnixNano: nanosOf(startMs),
    endTimeUnixNano: nanosOf(startMs + durationMs),
    attributes: attributesOf(attributes),
    ...(span.kind === "invocation" ? linksOf(span) : {}),
    ...(problem === undefined ? {} : { status: { code: STATUS_ERROR, message: problem } }),
  };
}

function formOf(span: Span) {
  switch (span.kind) {
    case "invocation": {
      const name = `process ${sourceNameOf(span.subject)}`;
      return { name, kind: KIND_CONSUMER, attributes: invocationAttributes(span) };
    }
    case "delivery":
      return { name: "send failure record", kind: KIND_PRODUCER, attributes: deliveryAttributes(span) };
    case "call":
      return { name: `invoke ${span.functionName}`, kind: KIND_CLIENT, attributes: callAttributes(span) };
  }
}

function linksOf({ links, linksDropped }: InvocationSpan) {
  if (links.length === 0 && linksDropped === 0) return {};
  return { links: links.map(linkJson), droppedLinksCount: linksDropped };
}

function linkJson({ traceId, spanId, traceState, sampled }: RemoteContext) {
  const state = traceState === undefined ? {} : { traceState };
  return { traceId, spanId, ...state, flags: flagsOf(sampled === true) | HAS_IS_REMOTE | IS_REMOTE };
}

function flagsOf(sampled: boolean): number {
  return sampled ? 1 : 0;
}

/** Microseconds are what the clock knows; whole nanoseconds of an epoch do not fit into a number. */
function nanosOf(epochMs: number): string {
  return `${Math.round(epochMs * 1000)}000`;
}

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** OpenTelemetry's semantic conventions for messaging and FaaS, and ours under `millrace.`. */
function invocationAttributes(span: InvocationSpan): Attributes {
  const { subject, records, outcome, attempt, problem } = span;
  return {
    ...sharedAttributes(span),
    "messaging.operation.type": "process",
    "messaging.operation.name": "process",
    "messaging.system": systemOf(subject),
    "messaging.destination.name": sourceNameOf(subject),
    "messaging.destination.partition.id": subject.shardId,
    "messaging.consumer.group.name": subject.consumerGroup,
    "messaging.batch.message_count": records,
    "faas.invoked_name": subject.functionName,
    "faas.invocation_id": span.requestId,
    "aws.lambda.invoked_arn": subject.functionArn,
    "millrace.outcome": outcome,
    "millrace.attempt": attempt,
    "error.type": problem,
  };
}

function callAttributes(span: CallSpan): Attributes {
  return {
    "faas.invoked_name": span.functionName,
    "faas.invocation_id": span.requestId,
    "faas.version": span.executedVersion,
    "aws.lambda.invoked_arn": span.functionArn,
    "millrace.caller": span.callerKind,
    "millrace.outcome": span.outcome,
    "error.type": span.problem,
  };
}

function deliveryAttributes(span: DeliverySpan): Attributes {
  const { subject, records, condition, problem } = span;
  return {
    ...sharedAttributes(span),
    "messaging.operation.type": "send",
    "messaging.operation.name": "send",
    "messaging.system": destinationSystemOf(subject.destination ?? ""),
    "messaging.destination.name": subject.destination,
    "messaging.batch.message_count": records,
    "millrace.request.id": span.requestId,
    "millrace.condition": condition,
    "error.type": problem,
  };
}

function sharedAttributes({ subject }: InvocationSpan | DeliverySpan): Attributes {
  return {
    "millrace.mapping.name": subject.mapping,
    "millrace.mapping.uuid": subject.mappingUuid,
    "millrace.source.arn": subject.eventSourceArn,
  };
}

/** The conventions' own names where they have one. */
const SYSTEMS: Readonly<Record<string, string>> = {
  sqs: "aws_sqs",
  sns: "aws.sns",
  kinesis: "aws_kinesis",
  "dynamodb-streams": "aws_dynamodb_streams",
};

function systemOf({ sourceKind }: TraceSubject): string {
  return SYSTEMS[sourceKind] ?? sourceKind;
}

function destinationSystemOf(destination: string): string {
  const kind = /^arn:[^:]*:([a-z0-9]+):/.exec(destination)?.[1] ?? destination.split(":", 1)[0] ?? "";
  return SYSTEMS[kind] ?? kind;
}

/** The source's own name, or the queue, stream or table of the ARN. */
function sourceNameOf({ sourceName, eventSourceArn, mapping }: TraceSubject): string {
  if (sourceName !== undefined) return sourceName;
  const resource = eventSourceArn?.split(":").slice(5).join(":") ?? "";
  const [first = "", second] = resource.split("/");
  return (second ?? first) || mapping;
}

function attributesOf(attributes: Attributes) {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [attribute(key, value)],
  );
}

function attribute(key: string, value: string | number) {
  return typeof value === "string"
    ? { key, value: { stringValue: value } }
    : { key, value: { intValue: String(value) } };
}
