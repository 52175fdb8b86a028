/**
 * A process of its own: a broker of the topic `flood` with one partition of very many records of 1 KB, in batches of
 * 100. Prints its port.
 */
import { batchBytes } from "./batch-bytes.ts";
import { startCannedBroker } from "./canned-broker.ts";

const RECORDS = 100;
const template = batchBytes({
  baseOffset: 0,
  records: Array.from({ length: RECORDS }, (_, offset) => ({ offset, value: Buffer.alloc(1_000, offset) })),
});

const broker = await startCannedBroker({
  topic: "flood",
  partitions: [
    {
      endOffset: 1_000_000_000,
      read(offset, bytesMax) {
        const count = Math.max(1, Math.floor(bytesMax / template.length));
        const bytes = Buffer.allocUnsafe(count * template.length);
        const first = offset - (offset % RECORDS);
        for (let index = 0; index < count; index++) {
          template.copy(bytes, index * template.length);
          bytes.writeBigInt64BE(BigInt(first + index * RECORDS), index * template.length);
        }
        return bytes;
      },
    },
  ],
});
process.stdout.write(`${broker.port}\n`);
