import { quoteJson } from "../../src/model/json-bytes.ts";
import type { AmqpProperties } from "./amqp-api.ts";
import { javaDate } from "./java-date.ts";

/** Deeper tables are no headers that anybody reads. */
const DEPTH_MAX = 32;

/** `basicProperties` of a message, in AWS's order, each member there (brokers §2.1). */
export function propertiesJson(properties: AmqpProperties, bodySize: number): string {
  return (
    `{"contentType":${text(properties.contentType)},"contentEncoding":${text(properties.contentEncoding)}` +
    `,"headers":${headersJson(properties.headers)},"deliveryMode":${number(properties.deliveryMode)}` +
    `,"priority":${number(properties.priority)},"correlationId":${text(properties.correlationId)}` +
    `,"replyTo":${text(properties.replyTo)},"expiration":${text(properties.expiration)}` +
    `,"messageId":${text(properties.messageId)},"timestamp":${text(javaDate(properties.timestamp))}` +
    `,"type":${text(properties.type)},"userId":${text(properties.userId)},"appId":${text(properties.appId)}` +
    `,"clusterId":${text(properties.clusterId)},"bodySize":${bodySize}}`
  );
}

function text(value: unknown): string {
  return typeof value === "string" ? quoteJson(value) : "null";
}

function number(value: unknown): string {
  return typeof value === "number" && Number.isFinite(value) ? String(value) : "null";
}

function headersJson(headers: unknown): string {
  return typeof headers === "object" && headers !== null ? tableJson(headers, 0) : "null";
}

/** @throws RangeError for tables that are nested too deep. */
function tableJson(table: object, depth: number): string {
  const members = Object.entries(table).map(
    ([name, value]) => `${quoteJson(name)}:${valueJson(value, depth)}`,
  );
  return `{${members.join(",")}}`;
}

/**
 * Texts and bytes are bytes, as Java's client has them: signed numbers. Numbers, booleans, tables and lists are
 * themselves, and a time is the text that the property `timestamp` is.
 */
function valueJson(value: unknown, depth: number): string {
  if (depth > DEPTH_MAX) throw new RangeError("A message has headers that are nested too deep");
  switch (typeof value) {
    case "string":
      return bytesJson(Buffer.from(value));
    case "number":
      return number(value);
    case "bigint":
    case "boolean":
      return String(value);
    case "object":
      return value === null ? "null" : objectJson(value, depth);
    default:
      return "null";
  }
}

function objectJson(value: object, depth: number): string {
  if (Buffer.isBuffer(value)) return bytesJson(value);
  if (Array.isArray(value)) return `[${value.map((each) => valueJson(each, depth + 1)).join(",")}]`;
  const marked = markedJson(value);
  return marked ?? tableJson(value, depth + 1);
}

/** What JavaScript has no type for comes from the client as `{ "!": TYPE, value }`. */
function markedJson(value: object): string | undefined {
  if (!("!" in value) || !("value" in value)) return undefined;
  if (value["!"] === "timestamp") return text(javaDate(value.value));
  if (value["!"] !== "decimal") return undefined;
  const decimal = value.value;
  if (typeof decimal !== "object" || decimal === null || !("places" in decimal) || !("digits" in decimal))
    return "null";
  return number(Number(decimal.digits) / 10 ** Number(decimal.places));
}

function bytesJson(bytes: Buffer): string {
  return `{"bytes":[${new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length).join(",")}]}`;
}
