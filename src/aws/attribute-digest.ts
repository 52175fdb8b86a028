import { createHash } from "node:crypto";

/** An attribute that a sender gives a message. */
interface DigestedAttribute {
  readonly dataType: string;
  readonly stringValue?: string | undefined;
  readonly binaryValue?: Uint8Array | undefined;
}

/** As SQS computes it: by name, each part with its length before it. */
export function attributeDigest(attributes: Readonly<Record<string, DigestedAttribute>>): string {
  const hash = createHash("md5");
  const addPart = (part: Uint8Array) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    hash.update(length).update(part);
  };
  const names = Object.keys(attributes).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const name of names) {
    const attribute = attributes[name];
    if (attribute === undefined) continue;
    const { dataType, stringValue = "", binaryValue } = attribute;
    addPart(Buffer.from(name));
    addPart(Buffer.from(dataType));
    hash.update(Buffer.of(dataType.startsWith("Binary") ? 2 : 1));
    addPart(binaryValue ?? Buffer.from(stringValue));
  }
  return hash.digest("hex");
}
