import { MillraceError } from "../../src/model/errors.ts";
import type { SqsAttribute } from "../../src/model/sqs-event.ts";

/** Attributes that a sender gives a message, by name, as in SQS. */
export type MessageAttributes = Readonly<Record<string, SqsAttribute>>;

const ATTRIBUTES_MAX = 10;
const NAME = /^(?!\.)(?!.*\.\.)[a-zA-Z0-9_.-]{1,256}(?<!\.)$/;
const DATA_TYPE = /^(?:String|Number|Binary)(?:\..{1,240})?$/;

/** @throws ERR_MILLRACE_CONFIG */
export function checkAttributes(attributes: MessageAttributes): void {
  const entries = Object.entries(attributes);
  if (entries.length > ATTRIBUTES_MAX) {
    throw invalid(`A message has at most ${ATTRIBUTES_MAX} attributes, not ${entries.length}`);
  }
  for (const [name, attribute] of entries) {
    if (!NAME.test(name)) {
      throw invalid(
        `"${name.slice(0, 60)}" is not an attribute's name: use letters, digits, "_", "-" and "."`,
      );
    }
    if (!DATA_TYPE.test(attribute.dataType)) {
      throw invalid(
        `The attribute "${name}" must have the dataType String, Number or Binary, with or without .LABEL`,
      );
    }
    if (!hasItsValue(attribute)) {
      const wanted = isBinary(attribute) ? "binaryValue" : "stringValue";
      throw invalid(
        `The attribute "${name}" of dataType ${attribute.dataType} needs a ${wanted}, and no other`,
      );
    }
  }
}

/** Bytes that count against a message's size: names, types and values. */
export function attributesByteLength(attributes: MessageAttributes): number {
  let bytes = 0;
  for (const [name, attribute] of Object.entries(attributes)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(attribute.dataType) + valueBytes(attribute).length;
  }
  return bytes;
}

type StoredAttribute = readonly [name: string, dataType: string, kind: "text" | "base64", value: string];

export function formatAttributes(attributes: MessageAttributes): string {
  const stored = Object.entries(attributes).map(([name, attribute]): StoredAttribute => {
    return isBinary(attribute)
      ? [name, attribute.dataType, "base64", valueBytes(attribute).toString("base64")]
      : [name, attribute.dataType, "text", attribute.stringValue ?? ""];
  });
  return JSON.stringify(stored);
}

/** In the order in which the sender gave them. */
export function parseAttributes(
  text: string | undefined,
): readonly (readonly [name: string, attribute: SqsAttribute])[] {
  if (text === undefined) return [];
  const stored = JSON.parse(text) as readonly StoredAttribute[];
  return stored.map(([name, dataType, kind, value]) => [
    name,
    kind === "text"
      ? { dataType, stringValue: value }
      : { dataType, binaryValue: Buffer.from(value, "base64") },
  ]);
}

function isBinary({ dataType }: SqsAttribute): boolean {
  return dataType.startsWith("Binary");
}

function hasItsValue(attribute: SqsAttribute): boolean {
  const { stringValue, binaryValue } = attribute;
  if (isBinary(attribute)) return binaryValue !== undefined && stringValue === undefined;
  return stringValue?.isWellFormed() === true && binaryValue === undefined;
}

function valueBytes({ stringValue, binaryValue }: SqsAttribute): Buffer {
  return binaryValue === undefined ? Buffer.from(stringValue ?? "") : Buffer.from(binaryValue);
}

function invalid(message: string): MillraceError {
  return new MillraceError("ERR_MILLRACE_CONFIG", `${message}.`);
}
