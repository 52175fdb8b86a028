import { headerOf } from "../../src/brokers/headers.ts";
import type { AmqpMessage } from "./amqp-message.ts";

export type MessageBody =
  | { readonly kind: "text" | "bytes"; readonly bytes: Buffer }
  /** Maps, objects and streams of JMS: AWS has no event of them (brokers §3.1). */
  | { readonly kind: "unsupported"; readonly reason: string };

/** What JMS clients of AMQP say of a message beside its body. */
const JMS_TYPE = "x-opt-jms-msg-type";
const JMS_OBJECT = 1;
const JAVA_OBJECT = "application/x-java-serialized-object";
/** Sections of AMQP 1.0's body. */
const DATA_SECTION = 0x75;

const UNSUPPORTED: MessageBody = {
  kind: "unsupported",
  reason: "it is no text and no bytes message, of which alone AWS has events",
};

/** By the body's section: a text is a value, bytes are data. */
export function bodyOf({ body, content_type, message_annotations }: AmqpMessage): MessageBody {
  const isObject =
    headerOf(message_annotations, JMS_TYPE) === JMS_OBJECT || String(content_type) === JAVA_OBJECT;
  // plant: an-object-of-java-is-taken-for-bytes
  if (isObject) return UNSUPPORTED;
  // A text message without a text.
  if (body === undefined || body === null) return { kind: "text", bytes: Buffer.alloc(0) };
  if (typeof body === "string") return { kind: "text", bytes: Buffer.from(body) };
  if (Buffer.isBuffer(body)) return { kind: "bytes", bytes: body };
  if (headerOf(body, "typecode") !== DATA_SECTION) return UNSUPPORTED;
  const content = headerOf(body, "content");
  const parts: readonly unknown[] = Array.isArray(content) ? content : [content];
  const bytes = parts.filter((part): part is Buffer => Buffer.isBuffer(part));
  return bytes.length === parts.length ? { kind: "bytes", bytes: Buffer.concat(bytes) } : UNSUPPORTED;
}
