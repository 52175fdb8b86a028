import { hash } from "node:crypto";
import { attributeDigest } from "../aws/attribute-digest.ts";
import type { NewMessageAttribute, NewQueueMessage } from "../ports/embedded-sources.ts";
import { MESSAGE_BYTES_MAX } from "./queue-attributes.ts";
import { invalidValue, missingParameter, queueFault } from "./queue-fault.ts";
import type { WireMembers } from "./wire-members.ts";

/** A message to send, with what its sender is told of it. */
export interface MessageEntry {
  readonly message: NewQueueMessage;
  readonly bytes: number;
  readonly digests: MessageDigests;
}

interface MessageDigests {
  readonly MD5OfMessageBody: string;
  readonly MD5OfMessageAttributes?: string;
  readonly MD5OfMessageSystemAttributes?: string;
}

/** What decides how a message is read. */
export interface QueueOrder {
  readonly isFifo: boolean;
  readonly contentBasedDeduplication: boolean;
}

type Attributes = Readonly<Record<string, NewMessageAttribute>>;

/** XML 1.0's characters but for surrogates, which `isWellFormed` sees to. */
const FORBIDDEN = /[^\t\n\r\x20-\uD7FF\uD800-\uDFFF\uE000-\uFFFD]/;
const ID = /^[\x21-\x7e]{1,128}$/;
const ATTRIBUTES_MAX = 10;
const WRONG_KIND = "The request include parameter that is not valid for this queue type.";

/** What SQS checks of a message, in its order as far as it is known. @throws ProducerFault */
export function messageEntry(members: WireMembers, queue: QueueOrder): MessageEntry {
  const body = members.text("MessageBody");
  if (body === undefined || body === "") throw missingParameter("MessageBody");
  const attributes = attributesIn(members, "MessageAttributes");
  const system = attributesIn(members, "MessageSystemAttributes");
  const bytes = Buffer.byteLength(body) + attributeBytes(attributes);
  if (bytes > MESSAGE_BYTES_MAX) throw tooLong();
  if (!body.isWellFormed() || FORBIDDEN.test(body)) throw wrongCharacters();
  const traceHeader = traceHeaderOf(system);
  return {
    message: {
      body,
      ...(queue.isFifo ? orderOf(members, queue) : delayOf(members)),
      ...(isEmpty(attributes) ? {} : { attributes }),
      ...(traceHeader === undefined ? {} : { traceHeader }),
    },
    bytes,
    digests: {
      MD5OfMessageBody: hash("md5", body),
      ...(isEmpty(attributes) ? {} : { MD5OfMessageAttributes: attributeDigest(attributes) }),
      ...(isEmpty(system) ? {} : { MD5OfMessageSystemAttributes: attributeDigest(system) }),
    },
  };
}

/** Bytes of what an entry would be, whether or not it is valid: those of a batch are counted together. */
export function entryBytes(members: WireMembers): number {
  return (
    Buffer.byteLength(members.text("MessageBody") ?? "") +
    attributeBytes(attributesIn(members, "MessageAttributes"))
  );
}

function orderOf(members: WireMembers, queue: QueueOrder) {
  const delay = members.integer("DelaySeconds");
  if (delay !== undefined && delay !== 0) throw invalidValue(delay, "DelaySeconds", WRONG_KIND);
  const groupId = members.text("MessageGroupId");
  if (groupId === undefined || groupId === "") throw missingParameter("MessageGroupId");
  if (!ID.test(groupId)) throw wrongId(groupId, "MessageGroupId");
  const deduplicationId = members.text("MessageDeduplicationId");
  if (deduplicationId === undefined && !queue.contentBasedDeduplication) {
    const message =
      "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly";
    throw queueFault("InvalidParameterValue", message);
  }
  if (deduplicationId !== undefined && !ID.test(deduplicationId))
    throw wrongId(deduplicationId, "MessageDeduplicationId");
  return { groupId, ...(deduplicationId === undefined ? {} : { deduplicationId }) };
}

function delayOf(members: WireMembers) {
  for (const name of ["MessageGroupId", "MessageDeduplicationId"]) {
    const value = members.text(name);
    if (value !== undefined) throw invalidValue(value, name, WRONG_KIND);
  }
  const delay = members.integer("DelaySeconds");
  if (delay === undefined) return {};
  if (delay < 0 || delay > 900)
    throw invalidValue(delay, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.");
  return { delayMs: delay * 1000 };
}

function attributesIn(members: WireMembers, name: string): Attributes {
  const given = members.object(name);
  const found = new Map<string, NewMessageAttribute>();
  for (const each of given?.names ?? []) {
    const attribute = given?.object(each);
    const dataType = attribute?.text("DataType");
    if (dataType === undefined || dataType === "") {
      const message = `The message attribute '${each.slice(0, 256)}' must contain non-empty message attribute type.`;
      throw queueFault("InvalidParameterValue", message);
    }
    const [stringValue, binaryValue] = [attribute?.text("StringValue"), attribute?.bytes("BinaryValue")];
    found.set(each, {
      dataType,
      ...(stringValue === undefined ? {} : { stringValue }),
      ...(binaryValue === undefined ? {} : { binaryValue }),
    });
  }
  if (found.size > ATTRIBUTES_MAX) {
    const message = `Number of message attributes [${found.size}] exceeds the allowed maximum [${ATTRIBUTES_MAX}].`;
    throw queueFault("InvalidParameterValue", message);
  }
  for (const [each, attribute] of found) checkAttribute(each, attribute);
  return Object.fromEntries(found);
}

function checkAttribute(name: string, { dataType, stringValue, binaryValue }: NewMessageAttribute): void {
  const shown = name.slice(0, 256);
  if (!/^(?!\.)(?!.*\.\.)[a-zA-Z0-9_.-]{1,256}(?<!\.)$/.test(name)) {
    const message = `The message attribute name '${shown}' is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore (_), hyphen (-), and period (.) characters.`;
    throw queueFault("InvalidParameterValue", message);
  }
  if (!/^(?:String|Number|Binary)(?:\..{1,240})?$/.test(dataType)) {
    const message = `The message attribute '${shown}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`;
    throw queueFault("InvalidParameterValue", message);
  }
  const isBinary = dataType.startsWith("Binary");
  const value = isBinary ? binaryValue : stringValue;
  if (value === undefined || value.length === 0) {
    const kind = isBinary ? "binary" : "string";
    const message = `The message attribute '${shown}' must contain non-empty message attribute value for message attribute type '${dataType}' (${kind}).`;
    throw queueFault("InvalidParameterValue", message);
  }
  const other = isBinary ? stringValue : binaryValue;
  if (other !== undefined || (stringValue !== undefined && !stringValue.isWellFormed())) {
    const message = `The message attribute '${shown}' has multiple values, or one that is no text.`;
    throw queueFault("InvalidParameterValue", message);
  }
}

function traceHeaderOf(system: Attributes): string | undefined {
  for (const [name, { dataType, stringValue }] of Object.entries(system)) {
    if (name !== "AWSTraceHeader" || dataType !== "String") {
      const message = `Message system attribute name '${name.slice(0, 100)}' is invalid: it is AWSTraceHeader of the type String.`;
      throw queueFault("InvalidParameterValue", message);
    }
    return stringValue;
  }
  return undefined;
}

function attributeBytes(attributes: Attributes): number {
  let bytes = 0;
  for (const [name, { dataType, stringValue, binaryValue }] of Object.entries(attributes)) {
    const value = binaryValue?.length ?? Buffer.byteLength(stringValue ?? "");
    bytes += Buffer.byteLength(name) + Buffer.byteLength(dataType) + value;
  }
  return bytes;
}

function isEmpty(attributes: Attributes): boolean {
  return Object.keys(attributes).length === 0;
}

function wrongId(value: string, name: string) {
  return invalidValue(
    value,
    name,
    `${name} can only include alphanumeric and punctuation characters. 1 to 128 in length.`,
  );
}

function tooLong() {
  const message = `One or more parameters are invalid. Reason: Message must be shorter than ${MESSAGE_BYTES_MAX} bytes.`;
  return queueFault("InvalidParameterValue", message);
}

function wrongCharacters() {
  const message =
    "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.";
  return queueFault("InvalidMessageContents", message);
}
