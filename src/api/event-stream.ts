import { crc32 } from "node:zlib";

export const EVENT_STREAM_TYPE = "application/vnd.amazon.eventstream";

const TEXT = 7;
const PRELUDE_BYTES = 12;
const CRC_BYTES = 4;

/** One event of AWS's binary event streams: lengths, headers, payload, and checksums of both. */
export function eventMessage(type: string, contentType: string, payload: Uint8Array): Buffer {
  const headers = Buffer.concat([
    header(":event-type", type),
    header(":content-type", contentType),
    header(":message-type", "event"),
  ]);
  const message = Buffer.alloc(PRELUDE_BYTES + headers.length + payload.length + CRC_BYTES);
  message.writeUInt32BE(message.length, 0);
  message.writeUInt32BE(headers.length, 4);
  message.writeUInt32BE(crc32(message.subarray(0, 8)), 8);
  message.set(headers, PRELUDE_BYTES);
  message.set(payload, PRELUDE_BYTES + headers.length);
  const end = message.length - CRC_BYTES;
  message.writeUInt32BE(crc32(message.subarray(0, end)), end);
  return message;
}

function header(name: string, value: string): Buffer {
  const bytes = Buffer.alloc(4 + name.length + value.length);
  bytes.writeUInt8(name.length, 0);
  bytes.write(name, 1, "latin1");
  bytes.writeUInt8(TEXT, 1 + name.length);
  bytes.writeUInt16BE(value.length, 2 + name.length);
  bytes.write(value, 4 + name.length, "latin1");
  return bytes;
}
