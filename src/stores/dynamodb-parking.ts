import { UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import type { ItemState, NewRedrive, RedriveState } from "../model/redrive.ts";
import {
  type Drainer,
  type EndedItem,
  firstAttempt,
  type ItemEnd,
  type ItemTry,
  type LoadedWindow,
  type ParkingStore,
  type RedriveChange,
} from "../ports/parking-store.ts";
import { claimDigest } from "./claim-digest.ts";
import { openDynamodbTable } from "./dynamodb-format.ts";
import { textOf } from "./dynamodb-items.ts";
import { ParkedEntries } from "./dynamodb-parked-entries.ts";
import { ParkedReads } from "./dynamodb-parked-reads.ts";
import {
  type Header,
  parkedPartition,
  REDRIVES,
  readHeader,
  redriveKey,
  writeHeader,
} from "./dynamodb-parking-items.ts";
import { WindowLoad } from "./dynamodb-parking-load.ts";
import { ParkingWork } from "./dynamodb-parking-work.ts";
import { deleteItems, queryPartition } from "./dynamodb-query.ts";
import { absent } from "./dynamodb-resource-items.ts";
import { DYNAMODB_LIMITS, type DynamodbLimits, type DynamodbTable } from "./dynamodb-table.ts";
import { UncertainRetry } from "./dynamodb-uncertain-retry.ts";
import * as parked from "./parked-queue.ts";

const TOLD_AT_ONCE = 25;
/** No id is as long, and no key may be much longer. */
const ID_CHARS_MAX = 256;

/**
 * Keeps redrives in the table that also keeps progress: each queue is one document, and each write one transaction on
 * condition that nobody else has written to the redrive, and that its drainer is the newest.
 * @throws ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openDynamodbStore`.
 */
export async function openDynamodbParkingStore(
  table: string,
  limits: DynamodbLimits = DYNAMODB_LIMITS,
): Promise<ParkingStore> {
  return new DynamodbParkingStore(await openDynamodbTable(table, limits));
}

class DynamodbParkingStore implements ParkingStore {
  readonly #table: DynamodbTable;
  readonly #work: ParkingWork;
  readonly #entries: ParkedEntries;
  readonly #reads: ParkedReads;

  constructor(table: DynamodbTable) {
    this.#table = table;
    this.#work = new ParkingWork(table);
    this.#entries = new ParkedEntries(this.#work);
    this.#reads = new ParkedReads(this.#work, this.#entries);
  }

  async create(made: NewRedrive) {
    const start = { state: "planned", version: 1, cursor: undefined, isLoaded: false } as const;
    const redrive = { ...made, ...start, endedMs: undefined, isConcluded: false };
    const header: Header = { redrive, lastSeq: 0, revision: 1, tally: parked.EMPTY_TALLY };
    const document = JSON.stringify(made);
    const { name: TableName } = this.#table;
    const isMade = await this.#work.transact([
      { Put: { TableName, Item: writeHeader(header, document), ...absent() } },
      this.#work.newName(nameKey(made.name), made.id),
      { Put: { TableName, Item: pendingItem(made.id) } },
    ]);
    if (isMade) return redrive;
    const standing = await this.#work.item(redriveKey(`redrive#${made.id}`));
    // A call that was answered to nobody may be made again.
    if (standing === undefined || textOf(standing, "document") !== document) return "exists" as const;
    return readHeader(standing).redrive;
  }

  async list(states?: readonly RedriveState[]) {
    const items = await queryPartition(this.#table, REDRIVES, "redrive#");
    return items
      .map((item) => readHeader(item).redrive)
      .filter(({ state }) => states === undefined || states.includes(state))
      .sort((a, b) => b.createdMs - a.createdMs || (a.id < b.id ? -1 : 1));
  }

  async pending() {
    const marks = await queryPartition(this.#table, REDRIVES, "pending#");
    const items = await this.#work.items(marks.map((mark) => redriveKey(`redrive#${textOf(mark, "id")}`)));
    return items
      .map((item) => readHeader(item).redrive)
      .filter(({ isConcluded }) => !isConcluded)
      .sort((a, b) => a.createdMs - b.createdMs || (a.id < b.id ? -1 : 1));
  }

  async get(idOrName: string) {
    const own = idOrName.length > ID_CHARS_MAX ? undefined : await this.#work.header(idOrName);
    if (own !== undefined) return own.redrive;
    const named = await this.#work.item(redriveKey(nameKey(idOrName)));
    return named && (await this.#work.header(textOf(named, "id")))?.redrive;
  }

  change(id: string, seenVersion: number, change: RedriveChange) {
    return this.#work.inTurn(id, async () => {
      const seen = await this.#work.header(id);
      if (seen?.redrive.version !== seenVersion) return "stale" as const;
      const redrive = { ...seen.redrive, ...change, isConcluded: false, version: seenVersion + 1 };
      const pending = { Put: { TableName: this.#table.name, Item: pendingItem(id) } };
      const written = await this.#work.write({ seen, next: { ...seen, redrive }, more: [pending] });
      return written === "written" ? redrive : written;
    });
  }

  /** Its name last: until then nobody else may have it. */
  async remove(id: string) {
    const seen = await this.#work.header(id);
    await deleteItems(this.#table, await queryPartition(this.#table, parkedPartition(id), ""));
    const keys = [
      `redrive#${id}`,
      `pending#${id}`,
      ...(seen === undefined ? [] : [nameKey(seen.redrive.name)]),
    ];
    await deleteItems(this.#table, keys.map(redriveKey));
  }

  async counts(id: string) {
    const header = await this.#work.header(id);
    if (header === undefined) return undefined;
    const { untold: _, ...states } = header.tally;
    const loaded = Object.values(states).reduce((sum, count) => sum + count, 0);
    return { selected: header.redrive.selected, loaded, ...states };
  }

  async open({ mapping, epoch }: Drainer) {
    const request = new UpdateItemCommand({
      TableName: this.#table.name,
      Key: redriveKey(`fence#${mapping}`),
      UpdateExpression: "SET #epoch = :epoch",
      ConditionExpression: "attribute_not_exists(#epoch) OR #epoch <= :epoch",
      ExpressionAttributeNames: { "#epoch": "epoch" },
      ExpressionAttributeValues: { ":epoch": { N: String(epoch) } },
    });
    const opened = await this.#table.sendIf("UpdateItem", (client, options) => client.send(request, options));
    return opened === undefined ? ("fenced" as const) : ("open" as const);
  }

  ready(id: string, after: string, max: number) {
    return this.#reads.ready(id, after, max);
  }

  head(id: string, queue: string, itemsMax: number, bytesMax: number) {
    return this.#reads.head(id, queue, itemsMax, bytesMax);
  }

  untold(id: string, max: number) {
    return this.#reads.untold(id, max);
  }

  left(id: string, after: number, itemsMax: number, bytesMax: number) {
    return this.#reads.left(id, after, itemsMax, bytesMax);
  }

  items(id: string, state: ItemState, after: number, max: number) {
    return this.#reads.items(id, state, after, max);
  }

  load(drainer: Drainer, id: string, window: LoadedWindow) {
    return new WindowLoad(this.#work, drainer, id, window).run();
  }

  start(drainer: Drainer, id: string, try_: ItemTry) {
    return this.#work.inTurn(id, async () => {
      const seen = await this.#work.header(id);
      if (!(await this.#work.isNewest(drainer))) return "fenced" as const;
      if (seen?.redrive.state !== "running") return "refused" as const;
      const parts = await this.#entries.byQueue(id, try_.seqs);
      if (parts === undefined) return "refused" as const;
      for (const { held, seqs } of parts) {
        if (!parked.mayStart(held.queue, { ...try_, seqs })) return "refused" as const;
        parked.startEntries(held.queue, { ...try_, seqs });
      }
      const queues = parts.map(({ held }) => held);
      const written = await this.#work.write({ seen, next: seen, queues, drainer });
      return written === "written" ? ("started" as const) : written;
    });
  }

  end(drainer: Drainer, id: string, ends: readonly ItemEnd[]) {
    return this.#work.inTurn(id, async () => {
      const seen = await this.#work.header(id);
      if (!(await this.#work.isNewest(drainer))) return "fenced" as const;
      const parts =
        seen &&
        (await this.#entries.byQueue(
          id,
          ends.map(({ seq }) => seq),
        ));
      if (seen === undefined || parts === undefined) return "ended" as const;
      for (const { held, seqs } of parts)
        parked.endEntries(
          held.queue,
          ends.filter(({ seq }) => seqs.includes(seq)),
        );
      const queues = parts.map(({ held }) => held);
      const written = await this.#work.write({ seen, next: seen, queues, drainer });
      return written === "written" ? ("ended" as const) : written;
    });
  }

  /** Queue after queue: what a crash leaves over is recovered by who is asked next. */
  async recover(drainer: Drainer, id: string, to: "waiting" | "uncertain") {
    let recovered = 0;
    for (const name of await this.#reads.marked(id, "started")) {
      const count = await this.#work.inTurn(id, async () => {
        const seen = await this.#work.header(id);
        if (!(await this.#work.isNewest(drainer))) return "fenced" as const;
        const held = await this.#work.queue(id, name);
        const found = parked.recoverEntries(held.queue, firstAttempt(drainer), to);
        if (seen === undefined || found === 0) return 0;
        const written = await this.#work.write({ seen, next: seen, queues: [held], drainer });
        return written === "written" ? found : written;
      });
      if (count === "fenced") return count;
      recovered += count;
    }
    if (recovered === 0 && !(await this.#work.isNewest(drainer))) return "fenced" as const;
    return recovered;
  }

  async retryUncertain(id: string, seenVersion: number) {
    const names = () => this.#reads.marked(id, "uncertain");
    return await new UncertainRetry(this.#work, id, seenVersion).run(names);
  }

  finish(drainer: Drainer, id: string, endedMs: number) {
    return this.#work.inTurn(id, async () => {
      const seen = await this.#work.header(id);
      if (!(await this.#work.isNewest(drainer))) return "fenced" as const;
      if (seen === undefined) return "unfinished" as const;
      const { redrive, tally } = seen;
      if (redrive.state === "done") return "finished" as const;
      if (redrive.state !== "running" || !redrive.isLoaded) return "unfinished" as const;
      if (tally.waiting + tally.started + tally.untold > 0) return "unfinished" as const;
      const next = { ...redrive, state: "done" as const, endedMs, version: redrive.version + 1 };
      const written = await this.#work.write({ seen, next: { ...seen, redrive: next }, drainer });
      return written === "written" ? ("finished" as const) : written;
    });
  }

  /** Few at a time: they may be of as many queues, and a transaction holds 100 items. */
  async told(id: string, ends: readonly Pick<EndedItem, "seq" | "state">[]) {
    for (let at = 0; at < ends.length; at += TOLD_AT_ONCE)
      await this.#told(id, ends.slice(at, at + TOLD_AT_ONCE));
  }

  async #told(id: string, ends: readonly Pick<EndedItem, "seq" | "state">[]): Promise<void> {
    const over = await this.#work.inTurn(id, async () => {
      const seen = await this.#work.header(id);
      const seqs = ends.map(({ seq }) => seq);
      const parts = seen && (await this.#entries.byQueue(id, seqs));
      if (seen === undefined || parts === undefined) return [];
      const gone = parts.flatMap(({ held }) => parked.tellEntries(held.queue, ends));
      const queues = parts.map(({ held }) => held);
      const written = await this.#work.write({ seen, next: seen, queues });
      return written === "written" ? gone : written;
    });
    await this.#entries.forgetElements(id, over);
  }

  async conclude(id: string) {
    const isConcluded = await this.#work.inTurn(id, async () => {
      const seen = await this.#work.header(id);
      if (seen === undefined || (seen.redrive.state !== "done" && seen.redrive.state !== "cancelled"))
        return false;
      const redrive = { ...seen.redrive, isConcluded: true };
      const mark = { Delete: { TableName: this.#table.name, Key: redriveKey(`pending#${id}`) } };
      const written = await this.#work.write({ seen, next: { ...seen, redrive }, more: [mark] });
      return written === "written" ? true : written;
    });
    if (isConcluded) await this.#entries.forgetAllElements(id);
  }

  async close() {
    this.#table.close();
  }
}

function pendingItem(id: string) {
  return { ...redriveKey(`pending#${id}`), id: { S: id } };
}

function nameKey(name: string): string {
  return `name#${claimDigest(name)}`;
}
