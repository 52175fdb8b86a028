/** A process of its own: fills a stream or a queue of a local file with so many bytes of records of 1 KB, then ends. */
import { openStreamFile } from "../../connectors/local/stream-file.ts";

const RECORD_BYTES = 1_000;
const AT_ONCE = 500;
const [path = "", kind = "", bytes = ""] = process.argv.slice(2);
const file = openStreamFile(path);
const data = "x".repeat(RECORD_BYTES);
let left = Math.ceil(Number(bytes) / RECORD_BYTES);
let number = 0;
const append = appender();
for (; left > 0; left -= AT_ONCE) append(Math.min(left, AT_ONCE));
file.close();

function appender(): (count: number) => void {
  if (kind === "local-stream") {
    const stream = file.openStream("volume");
    return (count) =>
      void stream.append(Array.from({ length: count }, () => ({ partitionKey: `k${number++ % 500}`, data })));
  }
  const queue = file.openQueue("volume");
  return (count) => void queue.send(Array.from({ length: count }, () => ({ body: data })));
}
