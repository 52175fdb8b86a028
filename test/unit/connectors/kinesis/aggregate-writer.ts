import { hash } from "node:crypto";

export interface UserRecord {
  readonly key: string;
  readonly data: Buffer;
  /** Decimal. */
  readonly hashKey?: string;
}

/** An aggregate as the Kinesis Producer Library writes it. */
export function writeAggregate(records: readonly UserRecord[]): Buffer {
  const keys = [...new Set(records.map(({ key }) => key))];
  const hashKeys = [...new Set(records.flatMap(({ hashKey }) => hashKey ?? []))];
  return sealAggregate(
    Buffer.concat([
      ...keys.map((key) => field(1, Buffer.from(key))),
      ...hashKeys.map((key) => field(2, Buffer.from(key))),
      ...records.map(({ key, data, hashKey }) => {
        const own = hashKey === undefined ? [] : [numberField(2, hashKeys.indexOf(hashKey))];
        // Tags are no part of what is delivered.
        const tag = field(4, field(1, Buffer.from("tag")));
        return field(3, Buffer.concat([numberField(1, keys.indexOf(key)), ...own, field(3, data), tag]));
      }),
    ]),
  );
}

/** Magic in front, digest behind. */
export function sealAggregate(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from("f3899ac2", "hex"), message, hash("md5", message, "buffer")]);
}

function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

function numberField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
}
