import type { ItemState, NewRedrive, Redrive, RedriveCounts, RedriveState } from "../model/redrive.ts";
import {
  type Drainer,
  type EndedItem,
  firstAttempt,
  type ItemEnd,
  type ItemTry,
  type LoadedWindow,
  type ParkedItem,
  type ParkingStore,
  type RedriveChange,
} from "../ports/parking-store.ts";
import type { ParkingDatabase, ParkingStatement, ParkingValue, ParkingWork } from "./parking-database.ts";
import { endItems } from "./parking-ends.ts";
import {
  countsOf,
  type ParkingRow,
  readEndedItem,
  readListedItem,
  readParkedItem,
  readRedrive,
} from "./parking-rows.ts";
import type { ParkingStatements } from "./parking-statements.ts";

/** What is parked in a database that speaks SQL. Each write begins with the lock of its redrive: they come in turn. */
export class SqlParkingStore implements ParkingStore {
  readonly #database: ParkingDatabase;
  readonly #sql: ParkingStatements;

  constructor(database: ParkingDatabase) {
    this.#database = database;
    this.#sql = database.statements;
  }

  create(redrive: NewRedrive) {
    return this.#database.write(() => this.#create(redrive));
  }

  *#create(redrive: NewRedrive): ParkingWork<Redrive | "exists"> {
    const { id, name, mapping, rate, createdMs } = redrive;
    const document = JSON.stringify(redrive);
    yield { sql: this.#sql.makeRedrive, values: [id, name, mapping, document, rate ?? null, createdMs] };
    const [row] = yield { sql: this.#sql.getRedrive, values: [id] };
    // A call that was answered to nobody may be made again.
    return row !== undefined && row["document"] === document ? readRedrive(row) : "exists";
  }

  async list(states?: readonly RedriveState[]) {
    const all = (await this.#rows(this.#sql.listRedrives)).map(readRedrive);
    return states === undefined ? all : all.filter(({ state }) => states.includes(state));
  }

  async pending() {
    return (await this.#rows(this.#sql.pending)).map(readRedrive);
  }

  async get(idOrName: string) {
    const [row] = await this.#rows(this.#sql.findRedrive, idOrName);
    return row === undefined ? undefined : readRedrive(row);
  }

  change(id: string, seenVersion: number, change: RedriveChange) {
    return this.#database.write(() => this.#change(id, seenVersion, change));
  }

  *#change(id: string, seenVersion: number, change: RedriveChange): ParkingWork<Redrive | "stale"> {
    const seen = yield* this.#lock(id);
    if (seen?.redrive.version !== seenVersion) return "stale";
    const { state, rate, endedMs } = { ...seen.redrive, ...change };
    yield { sql: this.#sql.changeRedrive, values: [id, state, rate ?? null, endedMs ?? null] };
    return { ...seen.redrive, state, rate, endedMs, isConcluded: false, version: seenVersion + 1 };
  }

  async remove(id: string) {
    await this.#database.write(() => this.#remove(id));
  }

  *#remove(id: string): ParkingWork<void> {
    yield { sql: this.#sql.removeItems, values: [kindOf(id)] };
    yield { sql: this.#sql.removeRedrive, values: [id] };
  }

  counts(id: string) {
    return this.#database.read(() => this.#counts(id));
  }

  *#counts(id: string): ParkingWork<RedriveCounts | undefined> {
    const [row] = yield { sql: this.#sql.getRedrive, values: [id] };
    if (row === undefined) return undefined;
    const rows: readonly ParkingRow[] = yield { sql: this.#sql.count, values: [kindOf(id)] };
    const perState = new Map(rows.map((each) => [each["state"] as ItemState, Number(each["items"])]));
    return countsOf(readRedrive(row).selected, perState);
  }

  open(drainer: Drainer) {
    return this.#database.write(() => this.#open(drainer));
  }

  *#open({ mapping, epoch }: Drainer): ParkingWork<"open" | "fenced"> {
    yield { sql: this.#sql.open, values: [mapping, epoch] };
    return (yield* this.#isNewest({ mapping, epoch })) ? "open" : "fenced";
  }

  load(drainer: Drainer, id: string, window: LoadedWindow) {
    return this.#database.write(() => this.#load(drainer, id, window));
  }

  *#load(
    drainer: Drainer,
    id: string,
    { seen, next, items }: LoadedWindow,
  ): ParkingWork<"loaded" | "stale" | "fenced"> {
    const locked = yield* this.#lock(id);
    if (locked === undefined) return "stale";
    if (!(yield* this.#isNewest(drainer))) return "fenced";
    const { redrive, lastSeq } = locked;
    const isThere = next === undefined ? redrive.isLoaded : redrive.cursor === next;
    // The answer to the same call before was lost.
    if (isThere) return "loaded";
    // plant: a-window-is-loaded-wherever-the-redrive-is
    if (redrive.isLoaded || redrive.cursor !== seen) return "stale";
    for (const statement of this.#database.insertItems(kindOf(id), items, lastSeq)) yield statement;
    const isLoaded = next === undefined ? 1 : 0;
    const cursor = next ?? redrive.cursor ?? null;
    yield { sql: this.#sql.moveCursor, values: [id, cursor, isLoaded, lastSeq + items.length] };
    yield { sql: this.#sql.holdLoaded, values: [kindOf(id), lastSeq] };
    return "loaded";
  }

  async ready(id: string, after: string, max: number) {
    const rows = await this.#rows(this.#sql.ready, kindOf(id), after, max);
    return rows.map(({ queue }) => String(queue));
  }

  head(id: string, queue: string, itemsMax: number, bytesMax: number) {
    const sizes = { sql: this.#sql.sizes, values: [kindOf(id), queue, itemsMax] };
    return this.#database.read(() => this.#fitting(id, sizes, bytesMax));
  }

  left(id: string, after: number, itemsMax: number, bytesMax: number) {
    const sizes = { sql: this.#sql.leftSizes, values: [kindOf(id), after, itemsMax] };
    return this.#database.read(() => this.#fitting(id, sizes, bytesMax));
  }

  *#fitting(id: string, sizes: ParkingStatement, bytesMax: number): ParkingWork<readonly ParkedItem[]> {
    const seqs: number[] = [];
    let bytes = 0;
    for (const row of yield sizes) {
      bytes += Number(row["bytes"]);
      if (seqs.length > 0 && bytes > bytesMax) break;
      seqs.push(Number(row["seq"]));
    }
    const rows = yield { sql: this.#sql.read, values: [kindOf(id), JSON.stringify(seqs)] };
    return rows.map(readParkedItem);
  }

  async conclude(id: string) {
    await this.#database.write(() => this.#conclude(id));
  }

  *#conclude(id: string): ParkingWork<void> {
    const locked = yield* this.#lock(id);
    const state = locked?.redrive.state;
    if (state !== "done" && state !== "cancelled") return;
    yield { sql: this.#sql.conclude, values: [id] };
    yield { sql: this.#sql.forgetElements, values: [kindOf(id)] };
  }

  start(drainer: Drainer, id: string, attempt: ItemTry) {
    return this.#database.write(() => this.#start(drainer, id, attempt));
  }

  *#start(
    drainer: Drainer,
    id: string,
    { seqs, requestId, attempt }: ItemTry,
  ): ParkingWork<"started" | "refused" | "fenced"> {
    const locked = yield* this.#lock(id);
    if (!(yield* this.#isNewest(drainer))) return "fenced";
    if (locked?.redrive.state !== "running") return "refused";
    const list = JSON.stringify(seqs);
    const [row] = yield { sql: this.#sql.countStartable, values: [kindOf(id), list, attempt] };
    if (Number(row?.["items"]) !== seqs.length) return "refused";
    yield { sql: this.#sql.start, values: [kindOf(id), list, requestId, attempt] };
    return "started";
  }

  end(drainer: Drainer, id: string, ends: readonly ItemEnd[]) {
    return this.#database.write(() => this.#end(drainer, id, ends));
  }

  *#end(drainer: Drainer, id: string, ends: readonly ItemEnd[]): ParkingWork<"ended" | "fenced"> {
    yield* this.#lock(id);
    if (!(yield* this.#isNewest(drainer))) return "fenced";
    yield* endItems(this.#sql, kindOf(id), ends);
    return "ended";
  }

  recover(drainer: Drainer, id: string, to: "waiting" | "uncertain") {
    return this.#database.write(() => this.#recover(drainer, id, to));
  }

  *#recover(drainer: Drainer, id: string, to: "waiting" | "uncertain"): ParkingWork<number | "fenced"> {
    yield* this.#lock(id);
    if (!(yield* this.#isNewest(drainer))) return "fenced";
    const kind = kindOf(id);
    const first = firstAttempt(drainer);
    const [row] = yield { sql: this.#sql.countStarted, values: [kind, first] };
    const started = Number(row?.["items"] ?? 0);
    if (started === 0) return 0;
    yield { sql: this.#sql.recover, values: [kind, to, first] };
    if (to === "uncertain") yield { sql: this.#sql.holdUncertain, values: [kind] };
    return started;
  }

  retryUncertain(id: string, seenVersion: number) {
    return this.#database.write(() => this.#retryUncertain(id, seenVersion));
  }

  *#retryUncertain(id: string, seenVersion: number): ParkingWork<Redrive | "stale" | undefined> {
    const locked = yield* this.#lock(id);
    if (locked === undefined || locked.redrive.state === "cancelled") return undefined;
    const { redrive } = locked;
    if (redrive.version !== seenVersion) return "stale";
    if (redrive.isConcluded) return redrive;
    if ((yield* this.#count(this.#sql.countRetriable, id)) === 0) return redrive;
    yield { sql: this.#sql.retryUncertain, values: [kindOf(id)] };
    yield { sql: this.#sql.releaseHeld, values: [kindOf(id)] };
    const state = redrive.state === "done" ? "running" : redrive.state;
    yield { sql: this.#sql.changeRedrive, values: [id, state, redrive.rate ?? null, null] };
    return { ...redrive, state, endedMs: undefined, version: redrive.version + 1 };
  }

  finish(drainer: Drainer, id: string, endedMs: number) {
    return this.#database.write(() => this.#finish(drainer, id, endedMs));
  }

  *#finish(drainer: Drainer, id: string, endedMs: number): ParkingWork<"finished" | "unfinished" | "fenced"> {
    const locked = yield* this.#lock(id);
    if (!(yield* this.#isNewest(drainer))) return "fenced";
    if (locked === undefined) return "unfinished";
    const { state, rate, isLoaded } = locked.redrive;
    if (state === "done") return "finished";
    if (state !== "running" || !isLoaded) return "unfinished";
    if ((yield* this.#count(this.#sql.countOpen, id)) > 0) return "unfinished";
    yield { sql: this.#sql.changeRedrive, values: [id, "done", rate ?? null, endedMs] };
    return "finished";
  }

  async untold(id: string, max: number) {
    return (await this.#rows(this.#sql.untold, kindOf(id), max)).map(readEndedItem);
  }

  async told(id: string, ends: readonly Pick<EndedItem, "seq" | "state">[]) {
    await this.#database.write(() => this.#told(kindOf(id), ends));
  }

  *#told(kind: string, ends: readonly Pick<EndedItem, "seq" | "state">[]): ParkingWork<void> {
    for (const [state, told] of Map.groupBy(ends, (end) => end.state)) {
      const seqs = JSON.stringify(told.map(({ seq }) => seq));
      yield { sql: this.#sql.told, values: [kind, seqs, state] };
    }
  }

  async items(id: string, state: ItemState, after: number, max: number) {
    return (await this.#rows(this.#sql.items, kindOf(id), state, after, max)).map(readListedItem);
  }

  close() {
    return this.#database.close();
  }

  *#lock(id: string): ParkingWork<{ readonly redrive: Redrive; readonly lastSeq: number } | undefined> {
    const [row] = yield { sql: this.#sql.lockRedrive, values: [id] };
    return row === undefined ? undefined : { redrive: readRedrive(row), lastSeq: Number(row["last_seq"]) };
  }

  *#isNewest({ mapping, epoch }: Drainer): ParkingWork<boolean> {
    return (yield { sql: this.#sql.isNewest, values: [mapping, epoch] }).length > 0;
  }

  *#count(sql: string, id: string): ParkingWork<number> {
    const [row] = yield { sql, values: [kindOf(id)] };
    return Number(row?.["items"] ?? 0);
  }

  #rows(sql: string, ...values: readonly ParkingValue[]): Promise<readonly ParkingRow[]> {
    return this.#database.read(function* (): ParkingWork<readonly ParkingRow[]> {
      return yield { sql, values };
    });
  }
}

/** Entries of other kinds stand beside those of redrives. */
function kindOf(id: string): string {
  return `redrive:${id}`;
}
