import { readFile, truncate } from "node:fs/promises";
import { join } from "node:path";

const LENGTH_AT = 8;
const LENGTH_END = 12;
const LAST_OFFSET_DELTA_AT = 23;

/** Cuts a log that has one segment behind its first records; those must end with a batch. */
export async function cutSegment(folder: string, records: number): Promise<void> {
  const file = join(folder, "00000000000000000000.log");
  const bytes = await readFile(file);
  let at = 0;
  while (at < bytes.length) {
    const end = at + LENGTH_END + bytes.readInt32BE(at + LENGTH_AT);
    const nextOffset = Number(bytes.readBigInt64BE(at)) + bytes.readInt32BE(at + LAST_OFFSET_DELTA_AT) + 1;
    at = end;
    if (nextOffset === records) break;
    if (nextOffset > records) throw new Error(`no batch of ${file} ends with record ${records - 1}`);
  }
  await truncate(file, at);
}
