import { isAscii } from "node:buffer";
import type { Message, MessageAttributeValue } from "@aws-sdk/client-sqs";
import { nameOf } from "./odd-names.ts";

/**
 * The messages of an answer to ReceiveMessage. A member of another type than SQS's is left out, and so is what it
 * stands in: a message without its id or receipt costs itself, never its neighbours.
 *
 * @throws SyntaxError when it is no JSON; an error called `MalformedAnswer` when it holds no list of messages.
 */
export function readMessages(body: Buffer): readonly Message[] {
  const { Messages: messages = null } = objectIn(body) as { readonly Messages?: unknown };
  if (messages === null) return [];
  if (!Array.isArray(messages)) throw malformed("messages that are no list");
  return messages.map(toMessage);
}

/** What became of the entries of a batch call. */
export interface EntryFates {
  readonly Successful: readonly { readonly Id: string | undefined }[];
  readonly Failed: readonly {
    readonly Id: string | undefined;
    readonly Code: string | undefined;
    readonly Message: string | undefined;
  }[];
}

/** @throws as `readMessages` */
export function readFates(body: Buffer): EntryFates {
  const { Successful, Failed } = objectIn(body) as {
    readonly Successful?: unknown;
    readonly Failed?: unknown;
  };
  return {
    Successful: objectsOf(Successful).map(({ Id }) => ({ Id: textOf(Id) })),
    Failed: objectsOf(Failed).map(({ Id, Code, Message: text }) => ({
      Id: textOf(Id),
      Code: textOf(Code),
      Message: textOf(text),
    })),
  };
}

type Members = Readonly<Record<string, unknown>>;

function objectIn(body: Buffer): Members {
  // One byte a character: made in a single copy, and parsed faster.
  const answer: unknown = JSON.parse(body.toString(isAscii(body) ? "latin1" : "utf8"));
  if (isObject(answer)) return answer;
  throw malformed("something that is no object");
}

function toMessage(value: unknown): Message {
  if (!isObject(value)) return {};
  const { MessageId, ReceiptHandle, Body, Attributes, MD5OfBody } = value;
  // Without its body it is no message: one without an id is none either, and what it is not is handed to no function.
  const isWhole = typeof (Body ?? "") === "string";
  const message: Message = {
    MessageId: isWhole ? textOf(MessageId) : undefined,
    ReceiptHandle: textOf(ReceiptHandle),
    Body: textOf(Body),
    MD5OfBody: textOf(MD5OfBody),
    Attributes: isObject(Attributes) ? textsOf(Attributes) : undefined,
  };
  const { MessageAttributes, MD5OfMessageAttributes } = value;
  if (isObject(MessageAttributes)) message.MessageAttributes = attributesOf(MessageAttributes);
  if (typeof MD5OfMessageAttributes === "string") message.MD5OfMessageAttributes = MD5OfMessageAttributes;
  return message;
}

/** As it is, where all of them are texts: nearly always. */
function textsOf(members: Members): Record<string, string> {
  for (const name in members) {
    if (typeof members[name] !== "string") {
      const texts = Object.entries(members).filter(([, value]) => typeof value === "string");
      return Object.fromEntries(texts) as Record<string, string>;
    }
  }
  return members as Record<string, string>;
}

function attributesOf(members: Members): Record<string, MessageAttributeValue> {
  const attributes: [string, MessageAttributeValue][] = [];
  for (const [name, value] of Object.entries(members)) {
    if (!isObject(value)) continue;
    const { DataType, StringValue, BinaryValue } = value;
    const binary = textOf(BinaryValue);
    attributes.push([
      nameOf(name),
      {
        DataType: textOf(DataType),
        StringValue: textOf(StringValue),
        BinaryValue: binary === undefined ? undefined : Buffer.from(binary, "base64"),
      },
    ]);
  }
  return Object.fromEntries(attributes);
}

function objectsOf(value: unknown): readonly Members[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What came is not quoted: it may hold anything. */
function malformed(what: string): Error {
  return Object.assign(new Error(`SQS answered with ${what}.`), { name: "MalformedAnswer" });
}
