import { isUtf8 } from "node:buffer";
import { ControlFault } from "../../control/control-fault.ts";
import type { GivenEvent } from "../../control/schedules/event-bus.ts";
import { JSON_DEPTH_MAX, parseExactJson } from "../../model/exact-json.ts";
import { nestsDeeper } from "../../model/json-scan.ts";

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;
export type CloudEvent = Readonly<Record<string, unknown>>;

const EVENTS_MAX = 100;
/** Names of attributes are letters and digits; the body is the data, whatever a header says. */
const ATTRIBUTE = /^ce-(?!data$)[a-z0-9]+$/;
const NEEDED: readonly string[] = ["id", "source", "type", "specversion"];

/**
 * CloudEvents of a request, in their JSON form: structured, as a batch, or binary, with attributes in headers and data
 * in the body. @throws ControlFault
 */
export function readCloudEvents(headers: Headers, body: Buffer): readonly CloudEvent[] {
  const type = String(headers["content-type"] ?? "");
  const name = mediaTypeOf(type);
  if (name === "application/cloudevents-batch+json") {
    const events = parsed(body);
    if (!Array.isArray(events)) throw invalid("A batch of CloudEvents is a JSON array.");
    if (events.length > EVENTS_MAX) throw invalid(`A batch has at most ${EVENTS_MAX} CloudEvents.`);
    return events.map(checked);
  }
  if (name === "application/cloudevents+json") return [checked(parsed(body))];
  return [checked({ ...attributesIn(headers), ...dataOf(type, body) })];
}

/** As rules match it: `type` is its detail-type, `data` its detail. */
export function givenEvent(event: CloudEvent, bus: string): GivenEvent {
  const { source, type, data, data_base64: bytes, time, subject } = event;
  const timeMs = typeof time === "string" ? Date.parse(time) : Number.NaN;
  const isObject = typeof data === "object" && data !== null && !Array.isArray(data);
  return {
    bus,
    source: String(source),
    detailType: String(type),
    detail: isObject ? data : bytes === undefined ? { data } : { data_base64: bytes },
    resources: typeof subject === "string" ? [subject] : [],
    timeMs: Number.isNaN(timeMs) ? undefined : timeMs,
  };
}

function attributesIn(headers: Headers): CloudEvent {
  const named = Object.entries(headers).filter(([header]) => ATTRIBUTE.test(header));
  return Object.fromEntries(named.map(([header, value]) => [header.slice(3), decoded(String(value))]));
}

/** Values of headers are percent-encoded where they are no plain text. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** The body under the type that it came with; what is no text in UTF-8 is handed on in base64. */
function dataOf(type: string, body: Buffer): CloudEvent {
  const name = mediaTypeOf(type);
  const contentType = type === "" ? {} : { datacontenttype: type };
  if (body.length === 0) return contentType;
  const isText = isUtf8(body) && /^(?:|utf-?8|us-ascii)$/.test(charsetOf(type));
  if (isText && name === "") return { datacontenttype: "application/json", data: parsed(body) };
  if (isText && (name === "application/json" || name.endsWith("+json")))
    return { ...contentType, data: parsed(body) };
  if (isText && name.startsWith("text/")) return { ...contentType, data: body.toString() };
  return { ...contentType, data_base64: body.toString("base64") };
}

function mediaTypeOf(type: string): string {
  return (type.split(";")[0] ?? "").trim().toLowerCase();
}

function charsetOf(type: string): string {
  return /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(type)?.[1]?.toLowerCase() ?? "";
}

function checked(value: unknown): CloudEvent {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalid("A CloudEvent is a JSON object.");
  const event: CloudEvent = { ...value };
  const missing = NEEDED.filter((name) => typeof event[name] !== "string" || event[name] === "");
  if (missing.length > 0) throw invalid(`The CloudEvent lacks ${missing.join(", ")}.`);
  if (event["specversion"] !== "1.0") throw invalid("Only CloudEvents of specversion 1.0 are taken.");
  return event;
}

function parsed(body: Buffer): unknown {
  const text = body.toString();
  // What is nested deeper cannot be written again.
  if (nestsDeeper(text, JSON_DEPTH_MAX))
    throw invalid(`The body is nested more than ${JSON_DEPTH_MAX} deep.`);
  try {
    return parseExactJson(text);
  } catch {
    throw invalid("The body is not JSON.");
  }
}

function invalid(message: string): ControlFault {
  return new ControlFault("InvalidParameterValueException", message);
}
