import { gunzipSync, gzipSync } from "node:zlib";
import type { Message, MessageAttributeValue } from "@aws-sdk/client-sqs";
import { z } from "zod";
import type { AttemptState, NewAsyncItem } from "../model/async-item.ts";
import { readAttemptState, writeAttemptState } from "./attempt-state.ts";

/** An item as SQS carries it. */
export interface EventMessage {
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttributeValue>>;
  /** 0…900: the longest that SQS knows. What is due later says when. */
  readonly delaySeconds: number;
}

/** What a message says, without what SQS says of it. */
export interface ReadEvent extends Pick<NewAsyncItem, "id" | "kind" | "lane" | "qualifier" | "body"> {
  readonly state: AttemptState | undefined;
  /** Epoch milliseconds; 0: when SQS gives it. */
  readonly dueMs: number;
}

/** SQS's bound of a message, attributes included; a queue may be set to less, and says so itself then. */
export const MESSAGE_BYTES_MAX = 1024 * 1024;
const DELAY_SECONDS_MAX = 900;
/** The item without its body: a JSON text. */
const ITEM = "millrace-item";
/** Bytes of the body, packed: where it is no text that SQS takes, or a large one. */
const PACKED = "millrace-body";
const PACKED_TEXT = "packed";
const PLAIN_BYTES_MAX = 192 * 1024;
const UNPACKED_BYTES_MAX = 64 * 1024 * 1024;

const headSchema = z.object({
  v: z.literal(1),
  id: z.string(),
  kind: z.enum(["invoke", "deliver"]),
  lane: z.string(),
  qualifier: z.string(),
  state: z.unknown(),
  dueMs: z.number().optional(),
});

export function writeEvent(item: NewAsyncItem, nowMs: number): EventMessage {
  const { id, kind, lane, qualifier, body, visibleInMs } = item;
  const delaySeconds = Math.ceil(visibleInMs / 1000);
  const isLater = delaySeconds > DELAY_SECONDS_MAX;
  const head = { v: 1, id, kind, lane, qualifier, ...(isLater ? { dueMs: nowMs + visibleInMs } : {}) };
  const written = `${JSON.stringify(head).slice(0, -1)},"state":${writeAttemptState(item.state)}}`;
  const text = body.length > PLAIN_BYTES_MAX ? undefined : plainText(body);
  return {
    body: text ?? PACKED_TEXT,
    attributes: {
      [ITEM]: { DataType: "String", StringValue: escaped(written) },
      ...(text === undefined ? { [PACKED]: { DataType: "Binary", BinaryValue: gzipSync(body) } } : {}),
    },
    delaySeconds: Math.min(delaySeconds, DELAY_SECONDS_MAX),
  };
}

/** What it counts in SQS, attributes' names and types included. */
export function messageBytes({ body, attributes }: EventMessage): number {
  const beside = Object.entries(attributes).map(
    ([name, { DataType = "", StringValue = "", BinaryValue }]) => {
      return name.length + DataType.length + Buffer.byteLength(StringValue) + (BinaryValue?.length ?? 0);
    },
  );
  return beside.reduce((sum, bytes) => sum + bytes, Buffer.byteLength(body));
}

/** `undefined`: no millrace that this one knows wrote it. */
export function readEvent({ Body = "", MessageAttributes = {} }: Message): ReadEvent | undefined {
  const head = readHead(MessageAttributes[ITEM]?.StringValue);
  const body = bodyOf(Body, MessageAttributes[PACKED]?.BinaryValue);
  if (head === undefined || body === undefined) return undefined;
  const { id, kind, lane, qualifier, state, dueMs = 0 } = head;
  return { id, kind, lane, qualifier, body, state: readAttemptState(JSON.stringify(state)), dueMs };
}

function readHead(text: string | undefined): z.output<typeof headSchema> | undefined {
  if (text === undefined) return undefined;
  try {
    return headSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function bodyOf(text: string, packed: Uint8Array | undefined): Uint8Array | undefined {
  if (packed === undefined) return Buffer.from(text);
  try {
    return gunzipSync(packed, { maxOutputLength: UNPACKED_BYTES_MAX });
  } catch {
    return undefined;
  }
}

/** SQS takes texts of at least a character, of those that XML has: others it refuses, or changes. */
const NOT_TAKEN = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;

function plainText(body: Uint8Array): string | undefined {
  const text = Buffer.from(body).toString();
  if (text === "" || NOT_TAKEN.test(text)) return undefined;
  return Buffer.from(text).equals(body) ? text : undefined;
}

/** The two characters that JSON leaves as they are and SQS does not take. */
function escaped(json: string): string {
  return json.replaceAll(/[\ufffe\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`);
}
