/**
 * A process of its own: a broker of the topic `bombs`, with one hostile batch between good records in each partition. Prints its
 * port, and the offset of the last record of each partition.
 */
import { batchBytes } from "./batch-bytes.ts";
import { cannedLog, startCannedBroker } from "./canned-broker.ts";
import { hostileBatches } from "./hostile-batches.ts";

const EMPTY_RECORDS = 50_000;
const bombs = hostileBatches(EMPTY_RECORDS);
const logs = bombs.map(({ bytes, offsets }) =>
  cannedLog([
    batchBytes({ baseOffset: 0, records: [{ offset: 0, value: "before" }] }),
    bytes(1),
    batchBytes({ baseOffset: 1 + offsets, records: [{ offset: 1 + offsets, value: "behind" }] }),
  ]),
);
const broker = await startCannedBroker({ topic: "bombs", partitions: logs });
process.stdout.write(
  `${JSON.stringify({ port: broker.port, last: bombs.map(({ offsets }) => 1 + offsets) })}\n`,
);
