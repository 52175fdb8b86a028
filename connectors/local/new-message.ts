import { hash } from "node:crypto";
import { MillraceError } from "../../src/model/errors.ts";
import { attributesByteLength, checkAttributes, type MessageAttributes } from "./message-attributes.ts";

/** A message to send: what SQS takes, SQS's limits included, so that what works here works there. */
export interface NewMessage {
  /** 1 byte to 1 MiB, attributes included, of the characters that SQS allows. */
  readonly body: string;
  /** FIFO only, and always there: messages of one group stay in order. 1…128 characters. */
  readonly groupId?: string;
  /** FIFO only; left out: sent whatever was sent before. 1…128 characters. */
  readonly deduplicationId?: string;
  /** 0…900,000; not for FIFO queues. Left out: the queue's own delay. */
  readonly delayMs?: number;
  /** At most 10. */
  readonly messageAttributes?: MessageAttributes;
  /** The function sees it as `AWSTraceHeader`. */
  readonly traceHeader?: string;
}

export const DELAY_MS_MAX = 900_000;
const MESSAGE_BYTES_MAX = 1024 * 1024;
/** Letters, digits and punctuation of ASCII. */
const ID = /^[\x21-\x7e]{1,128}$/;
/** XML 1.0's characters but for surrogates, which `isWellFormed` sees to. */
const FORBIDDEN = /[^\t\n\r\x20-\uD7FF\uD800-\uDFFF\uE000-\uFFFD]/;

/** @throws ERR_MILLRACE_CONFIG, without the message's contents. */
export function checkMessage(message: NewMessage, isFifo: boolean): void {
  const { body, delayMs, traceHeader, messageAttributes = {} } = message;
  checkAttributes(messageAttributes);
  const bytes = Buffer.byteLength(body) + attributesByteLength(messageAttributes);
  if (body.length === 0 || bytes > MESSAGE_BYTES_MAX) {
    throw invalid(`A message has a body and at most ${MESSAGE_BYTES_MAX} bytes, attributes included`);
  }
  if (!body.isWellFormed() || FORBIDDEN.test(body)) {
    throw invalid("A body holds tabs, line ends and characters from U+0020 on, as SQS allows: encode others");
  }
  if (traceHeader !== undefined && !traceHeader.isWellFormed()) {
    throw invalid("A trace header is well-formed Unicode");
  }
  if (delayMs !== undefined && !isDelay(delayMs)) {
    throw invalid(`delayMs is a whole number from 0 to ${DELAY_MS_MAX}, not ${delayMs}`);
  }
  checkOrder(message, isFifo);
}

/** The message as a queue keeps it that takes the hash of a body for a deduplication id that was left out. */
export function withContentId(message: NewMessage): NewMessage {
  if (message.deduplicationId !== undefined) return message;
  return { ...message, deduplicationId: hash("sha256", message.body) };
}

export function isDelay(delayMs: number): boolean {
  return Number.isSafeInteger(delayMs) && delayMs >= 0 && delayMs <= DELAY_MS_MAX;
}

function checkOrder({ groupId, deduplicationId, delayMs }: NewMessage, isFifo: boolean): void {
  if (!isFifo && (groupId !== undefined || deduplicationId !== undefined)) {
    throw invalid(
      "groupId and deduplicationId are for FIFO queues: leave them out, or create a queue NAME.fifo",
    );
  }
  if (!isFifo) return;
  if (groupId === undefined || !ID.test(groupId)) {
    throw invalid("A message to a FIFO queue needs a groupId of 1 to 128 printable ASCII characters");
  }
  if (deduplicationId !== undefined && !ID.test(deduplicationId)) {
    throw invalid("A deduplicationId has 1 to 128 printable ASCII characters");
  }
  if (delayMs !== undefined) {
    throw invalid(
      "A FIFO queue delays all of its messages or none: give delayMs to the queue, not to a message",
    );
  }
}

function invalid(message: string): MillraceError {
  return new MillraceError("ERR_MILLRACE_CONFIG", `${message}.`);
}
