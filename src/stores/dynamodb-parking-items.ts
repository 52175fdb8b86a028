import type { NewRedrive, Redrive, RedriveState } from "../model/redrive.ts";
import type { QueuedItem } from "../ports/parking-store.ts";
import { packText, unpackText } from "./dynamodb-checkpoint.ts";
import { corruptStore } from "./dynamodb-errors.ts";
import { numberOf, textOf } from "./dynamodb-items.ts";
import { type Item, PARTITION_KEY, SORT_KEY } from "./dynamodb-table.ts";
import type { ParkedQueue, QueueTally } from "./parked-queue.ts";
import { writeKey } from "./parking-rows.ts";

/**
 * Redrives stand under one partition key: `redrive#ID` each, `name#NAME` for who has a name, `pending#ID` for one that
 * is not concluded, `fence#MAPPING` for the newest drainer of a mapping. What is parked for a redrive stands under its
 * own: `queue#NAME`, one document each; `ready#NAME`, `started#NAME`, `uncertain#NAME` and `untold#NAME` for queues
 * with such items; `entry#SEQ` for each item with the first part of its element, `part#SEQ#N` for the others, and
 * `id#ID`.
 */
export const REDRIVES = "redrives";
export const MARKERS = ["ready", "started", "uncertain", "untold"] as const;
export type Marker = (typeof MARKERS)[number];

/** An item holds 400 KB (DynamoDB's quotas), keys and names included. */
const PART_BYTES_MAX = 350_000;
const SEQ_DIGITS = 12;

/** A redrive as its item has it. */
export interface Header {
  readonly redrive: Redrive;
  readonly lastSeq: number;
  /** Rises with each write to anything of the redrive. */
  readonly revision: number;
  readonly tally: QueueTally;
}

export function redriveKey(name: string): Item {
  return { [PARTITION_KEY]: { S: REDRIVES }, [SORT_KEY]: { S: name } };
}

export function parkedPartition(id: string): string {
  return `parked#${id}`;
}

export function parkedKey(id: string, name: string): Item {
  return { [PARTITION_KEY]: { S: parkedPartition(id) }, [SORT_KEY]: { S: name } };
}

export function entryName(seq: number): string {
  return `entry#${String(seq).padStart(SEQ_DIGITS, "0")}`;
}

function partName(seq: number, part: number): string {
  return `part#${String(seq).padStart(SEQ_DIGITS, "0")}#${part}`;
}

/** All but what changes. */
function madeOf(redrive: Redrive): NewRedrive {
  const { id, name, mapping, selection, to, rate, share, delivery, selected, caller, createdMs } = redrive;
  return { id, name, mapping, selection, to, rate, share, delivery, selected, caller, createdMs };
}

export function writeHeader(header: Header, made: string | undefined): Item {
  const { redrive, lastSeq, revision, tally } = header;
  const { cursor, endedMs, rate } = redrive;
  return {
    ...redriveKey(`redrive#${redrive.id}`),
    document: { S: made ?? JSON.stringify(madeOf(redrive)) },
    state: { S: redrive.state },
    version: { N: String(redrive.version) },
    isLoaded: { BOOL: redrive.isLoaded },
    isConcluded: { BOOL: redrive.isConcluded },
    lastSeq: { N: String(lastSeq) },
    revision: { N: String(revision) },
    tally: { S: JSON.stringify(tally) },
    ...(rate === undefined ? {} : { rate: { N: String(rate) } }),
    ...(cursor === undefined ? {} : { cursor: { S: cursor } }),
    ...(endedMs === undefined ? {} : { endedMs: { N: String(endedMs) } }),
  };
}

export function readHeader(item: Item): Header {
  const made: NewRedrive = JSON.parse(textOf(item, "document"));
  return {
    redrive: {
      ...made,
      rate: optionalNumber(item, "rate"),
      state: textOf(item, "state") as RedriveState,
      version: numberOf(item, "version"),
      cursor: item["cursor"]?.S,
      isLoaded: item["isLoaded"]?.BOOL === true,
      isConcluded: item["isConcluded"]?.BOOL === true,
      endedMs: optionalNumber(item, "endedMs"),
    },
    lastSeq: numberOf(item, "lastSeq"),
    revision: numberOf(item, "revision"),
    tally: JSON.parse(textOf(item, "tally")),
  };
}

function optionalNumber(item: Item, name: string): number | undefined {
  return item[name]?.N === undefined ? undefined : numberOf(item, name);
}

/** @throws ERR_MILLRACE_STORE_CORRUPT: it is larger than an item. */
export async function writeQueue(table: string, id: string, name: string, queue: ParkedQueue): Promise<Item> {
  const bytes = await packText(JSON.stringify(queue));
  if (bytes !== undefined)
    return { ...parkedKey(id, `queue#${name}`), queue: { S: name }, bytes: { B: bytes } };
  const remedy = "Redrive fewer at once (--since, --until, --shard), or use another store, such as postgres:";
  throw corruptStore(table, "cannot hold as many items of one key in a redrive", remedy);
}

/** @throws ERR_MILLRACE_STORE_CORRUPT */
export async function readQueue(table: string, item: Item): Promise<ParkedQueue> {
  const text = await unpackText(item["bytes"]?.B ?? new Uint8Array());
  if (text !== undefined) return JSON.parse(text);
  const remedy = `Restore the table, or delete the items of the key ${textOf(item, PARTITION_KEY)} and the redrive`;
  throw corruptStore(table, "holds a queue of a redrive that cannot be read", remedy);
}

/** An item of a redrive, as it was loaded, without its element. */
export interface EntryMeta extends Omit<QueuedItem, "element" | "queue" | "isKeyless"> {
  readonly seq: number;
}

export function writeEntry(
  redriveId: string,
  seq: number,
  { element, ...item }: QueuedItem,
): readonly Item[] {
  const { id, failureId, itemId, shardId, position, key, arrivalMs, queue } = item;
  const meta = { id, failureId, itemId, shardId, position, key: writeKey(key), arrivalMs };
  const parts: Uint8Array[] = [];
  for (let at = 0; element !== undefined && (at === 0 || at < element.length); at += PART_BYTES_MAX)
    parts.push(element.subarray(at, at + PART_BYTES_MAX));
  const [first, ...more] = parts;
  return [
    {
      ...parkedKey(redriveId, entryName(seq)),
      seq: { N: String(seq) },
      queue: { S: queue },
      meta: { S: JSON.stringify(meta) },
      parts: { N: String(more.length) },
      ...(first === undefined ? {} : { element: { B: first } }),
    },
    ...more.map((bytes, at) => ({ ...parkedKey(redriveId, partName(seq, at)), element: { B: bytes } })),
  ];
}

export function readMeta(item: Item): EntryMeta {
  const { key, ...meta } = JSON.parse(textOf(item, "meta"));
  const { arrivalMs } = meta;
  return { ...meta, seq: numberOf(item, "seq"), key: key === null ? undefined : JSON.parse(key), arrivalMs };
}

/** Keys of what else its element is made of. */
export function partKeys(redriveId: string, item: Item): readonly Item[] {
  const seq = numberOf(item, "seq");
  return Array.from({ length: numberOf(item, "parts") || 0 }, (_, at) =>
    parkedKey(redriveId, partName(seq, at)),
  );
}

/** Which of the markers a queue is to have. */
export function markersOf({
  waiting,
  started,
  uncertain,
  untold,
}: QueueTally): Readonly<Record<Marker, boolean>> {
  return { ready: waiting > 0, started: started > 0, uncertain: uncertain > 0, untold: untold > 0 };
}
