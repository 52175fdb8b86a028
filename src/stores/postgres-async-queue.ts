import { randomUUID } from "node:crypto";
import type { AttemptState, NewAsyncItem } from "../model/async-item.ts";
import type { AsyncItem, AsyncQueue, AsyncReceive, CursorMove } from "../ports/async-queue.ts";
import type { Settlement } from "../ports/queue-source.ts";
import { ASYNC_BODY_BYTES_MAX, bytesOf } from "./async-bounds.ts";
import { asyncItemOf, bytesIn, laneBacklogOf, listedItemOf } from "./async-rows.ts";
import { writeAttemptState } from "./attempt-state.ts";
import { GroupedCalls } from "./grouped-calls.ts";
import { EVENT_SQL, moveOf } from "./postgres-async-statements.ts";
import { POSTGRES_LIMITS, PostgresDatabase, type PostgresLimits } from "./postgres-database.ts";
import { sqlState } from "./postgres-errors.ts";
import { readPostgresSettings } from "./postgres-settings.ts";
import type { Environment } from "./postgres-url.ts";

/** Its own: two for what is put, two for what ends, and one each to receive and to count. */
const CONNECTIONS = 6;

/**
 * Keeps events in the schema that also keeps progress. Each call is one statement, which the server commits by itself;
 * calls of one kind that are asked for together share one. The clock is the server's.
 * @throws ERR_MILLRACE_CONFIG, ERR_MILLRACE_STORE_UNAVAILABLE, ERR_MILLRACE_STORE_CORRUPT as `openPostgresStore`.
 */
export async function openPostgresAsyncQueue(
  url: string,
  options: { readonly limits?: PostgresLimits; readonly environment?: Environment } = {},
): Promise<AsyncQueue> {
  const { limits = { ...POSTGRES_LIMITS, connections: CONNECTIONS }, environment = process.env } = options;
  const settings = readPostgresSettings(url, environment);
  return new PostgresAsyncQueue(await PostgresDatabase.open(settings, limits));
}

interface Finished {
  readonly held: AsyncItem;
  readonly next: readonly NewAsyncItem[];
}

interface Freed {
  readonly held: AsyncItem;
  readonly delayMs: number;
  /** `undefined`: as it was. */
  readonly state: AttemptState | undefined;
}

class PostgresAsyncQueue implements AsyncQueue {
  readonly description = {
    engine: "postgres",
    isDurable: true,
    isAtomic: true,
    bodyBytesMax: ASYNC_BODY_BYTES_MAX,
  };
  readonly #database: PostgresDatabase;
  readonly #puts: GroupedCalls<readonly NewAsyncItem[], "put">;
  readonly #ends: GroupedCalls<Finished, Settlement>;
  readonly #frees: GroupedCalls<Freed, Settlement>;

  constructor(database: PostgresDatabase) {
    this.#database = database;
    this.#puts = new GroupedCalls({
      call: (group) => this.#putAll(group),
      bytesOf: bytesOfAll,
      isRefusal,
    });
    this.#ends = new GroupedCalls({
      call: (group) => this.#finishAll(group),
      bytesOf: ({ next }: Finished) => bytesOfAll(next),
      isRefusal,
    });
    this.#frees = new GroupedCalls({
      call: (group) => this.#freeAll(group),
      bytesOf: () => 0,
      isRefusal,
    });
  }

  async put(items: readonly NewAsyncItem[], cursor?: CursorMove): Promise<"put" | "stale"> {
    if (cursor === undefined) return items.length === 0 ? "put" : await this.#puts.add(items);
    const { name, from, to } = cursor;
    const { rows } = await this.#database.query(EVENT_SQL.putBy[moveOf(cursor)], [
      ...columnsOf(items),
      ...[name, from, to],
    ]);
    return rows.length === 0 ? "stale" : "put";
  }

  async has(id: string) {
    return (await this.#database.query(EVENT_SQL.has, [id])).rows.length > 0;
  }

  async cursors(prefix: string) {
    const { rows } = await this.#database.query(EVENT_SQL.cursors, [prefix]);
    return new Map(rows.map(({ name, place }) => [String(name), String(place)]));
  }

  async receive({ lanes, itemsMax, bytesMax }: AsyncReceive, signal: AbortSignal) {
    const asked = lanes.filter((lane) => lane.itemsMax > 0);
    if (signal.aborted || itemsMax === 0 || asked.length === 0) return [];
    // Tells this hold from others of the same item.
    const receipt = randomUUID();
    const { rows } = await this.#database.query(EVENT_SQL.receive, [
      asked.map(({ lane }) => lane),
      asked.map((lane) => lane.itemsMax),
      asked.map(({ holdMs }) => Math.round(holdMs)),
      ...[itemsMax, bytesMax, receipt],
    ]);
    return rows
      .toSorted((a, b) => Number(a["place"]) - Number(b["place"]))
      .map((row): AsyncItem => asyncItemOf(row, row["body"], receipt, Number(row["now_ms"])));
  }

  retry(held: AsyncItem, state: AttemptState, delayMs: number) {
    return this.#frees.add({ held, delayMs, state });
  }

  finish(held: AsyncItem, next: readonly NewAsyncItem[]) {
    return this.#ends.add({ held, next });
  }

  release(held: AsyncItem, delayMs: number) {
    return this.#frees.add({ held, delayMs, state: undefined });
  }

  async extend(held: readonly AsyncItem[], holdMs: number): Promise<readonly Settlement[]> {
    const values = [...heldBy(held), Math.round(holdMs)];
    return settlementsOf(held, (await this.#database.query(EVENT_SQL.extend, values)).rows);
  }

  async backlog() {
    const { rows } = await this.#database.query(EVENT_SQL.backlog);
    return rows.map((row) => laneBacklogOf(row, Number(row["now_ms"])));
  }

  async list(lane: string, max: number) {
    const { rows } = await this.#database.query(EVENT_SQL.list, [lane, max]);
    return rows.map((row) => listedItemOf(row, Number(row["now_ms"])));
  }

  async get(id: string) {
    const [row] = (await this.#database.query(EVENT_SQL.get, [id])).rows;
    return row && { ...listedItemOf(row, Number(row["now_ms"])), body: bytesIn(row["body"]) };
  }

  async close() {
    await Promise.all([this.#puts.idle(), this.#ends.idle(), this.#frees.idle()]);
    await this.#database.close();
  }

  async #putAll(group: readonly (readonly NewAsyncItem[])[]): Promise<readonly "put"[]> {
    await this.#database.query(EVENT_SQL.put, columnsOf(group.flat()));
    return group.map(() => "put");
  }

  async #finishAll(group: readonly Finished[]): Promise<readonly Settlement[]> {
    const held = group.map((each) => each.held);
    const next = group.flatMap((each) => each.next);
    if (next.length === 0)
      return settlementsOf(held, (await this.#database.query(EVENT_SQL.finish, heldBy(held))).rows);
    const of = group.flatMap((each) => each.next.map(() => each.held.id));
    const values = [...columnsOf(next), ...heldBy(held), of];
    return settlementsOf(held, (await this.#database.query(EVENT_SQL.finishInto, values)).rows);
  }

  async #freeAll(group: readonly Freed[]): Promise<readonly Settlement[]> {
    const held = group.map((each) => each.held);
    const values = [
      ...heldBy(held),
      group.map(({ delayMs }) => Math.round(delayMs)),
      group.map(({ state }) => (state === undefined ? null : writeAttemptState(state))),
    ];
    return settlementsOf(held, (await this.#database.query(EVENT_SQL.free, values)).rows);
  }
}

function bytesOfAll(items: readonly NewAsyncItem[]): number {
  return items.reduce((sum, item) => sum + bytesOf(item), 0);
}

function columnsOf(items: readonly NewAsyncItem[]): readonly (readonly unknown[])[] {
  return [
    items.map(({ id }) => id),
    items.map(({ kind }) => kind),
    items.map(({ lane }) => lane),
    items.map(({ qualifier }) => qualifier),
    items.map(({ visibleInMs }) => Math.round(visibleInMs)),
    items.map(({ state }) => writeAttemptState(state)),
    items.map(bytesOf),
    items.map(({ body }) => Buffer.from(body.buffer, body.byteOffset, body.byteLength)),
  ];
}

function heldBy(held: readonly AsyncItem[]): readonly (readonly string[])[] {
  return [held.map(({ id }) => id), held.map(({ receipt }) => receipt)];
}

/** One of two that settle the same hold in one statement has done it. */
function settlementsOf(
  held: readonly AsyncItem[],
  rows: readonly Readonly<Record<string, unknown>>[],
): readonly Settlement[] {
  const settled = new Set(rows.map(({ id }) => String(id)));
  return held.map(({ id }) => (settled.delete(id) ? "settled" : "lost"));
}

/** SQLSTATE of class 22: a value that no column takes. */
function isRefusal(error: unknown): boolean {
  return sqlState(error instanceof Error ? error.cause : undefined)?.startsWith("22") === true;
}
