import {
  type ChangeStream,
  type ChangeStreamDocument,
  type ChangeStreamOptions,
  type Db,
  type Document,
  type MongoClient,
  MongoServerSelectionError,
  Timestamp,
} from "mongodb";
import { inTime } from "../../src/brokers/in-time.ts";
import { firstOf, whenAborted } from "../../src/lib/first-of.ts";
import { prepareClient } from "./client.ts";
import { abortedError, changeStreamFault, databaseIsMissing, throwIfAborted } from "./fault.ts";
import { type ChangePlace, type OperationTime, timePosition, tokenPosition } from "./position.ts";
import { type MongoSettings, namespaceOf } from "./settings.ts";

/** How long a server waits for a change before it says that there is none. */
const AWAIT_MS = 500;
/** What a server sends at once, at most; 16 MiB are its own bound. */
const BATCH_CHANGES = 1_000;

/** As values are stored: no rounding, no expressions of JavaScript, no failure for a text that is not UTF-8. */
const AS_STORED = {
  promoteValues: false,
  promoteLongs: false,
  promoteBuffers: false,
  bsonRegExp: true,
  enableUtf8Validation: false,
} as const;

/** Where a stream begins, in the server's words. */
export type StreamStart = ChangePlace | { readonly kind: "now" };

export type Changes = ChangeStream<Document, ChangeStreamDocument>;

/** The namespace of one mapping at its cluster. */
export class MongoCluster {
  readonly #makeClient: () => MongoClient;
  readonly #settings: MongoSettings;
  #client: MongoClient;
  /** Clients that were given up are closed. */
  #left: Promise<unknown> = Promise.resolve();
  #clock: { readonly epochMs: number; readonly atMs: number } | undefined;

  constructor(makeClient: () => MongoClient, settings: MongoSettings) {
    this.#makeClient = makeClient;
    this.#settings = settings;
    this.#client = this.#newClient();
  }

  get namespace(): string {
    return namespaceOf(this.#settings);
  }

  /** Epoch milliseconds by the servers' clock, as they told it last; `undefined`: they have told none yet. */
  nowMs(): number | undefined {
    return this.#clock === undefined
      ? undefined
      : Math.floor(this.#clock.epochMs + performance.now() - this.#clock.atMs);
  }

  /** @throws ERR_MILLRACE_SOURCE_NOT_FOUND where the database is not there, as far as the user may ask. */
  async checkDatabase(signal: AbortSignal): Promise<void> {
    const { database } = this.#settings;
    await this.call(signal, async () => {
      const { databases } = await this.#client
        .db("admin")
        .command({ listDatabases: 1, nameOnly: true, filter: { name: database } })
        .catch((error: unknown) => {
          if (mayNotAsk(error)) return { databases: [database] };
          throw error;
        });
      if (databases.length === 0) throw databaseIsMissing(this.#place);
    });
  }

  /** Begins a stream; a failure shows with the first change that is asked for. */
  watch(start: StreamStart, pipeline: Document[] = [], more: ChangeStreamOptions = {}): Changes {
    const options = {
      ...stageOf(start, this.#settings),
      ...AS_STORED,
      maxAwaitTimeMS: AWAIT_MS,
      batchSize: BATCH_CHANGES,
      ...more,
    };
    const { collection } = this.#settings;
    return collection === undefined
      ? this.#database.watch(pipeline, options)
      : this.#database.collection(collection).watch(pipeline, options);
  }

  /**
   * Whether a stream can begin there. @throws a fault with the reason `historyLost` where it cannot.
   */
  async tryStart(start: StreamStart, signal: AbortSignal): Promise<void> {
    await this.#begin(start, 1, signal);
  }

  /** The place behind all that has happened. */
  async latestPosition(signal: AbortSignal): Promise<string> {
    const { token, time } = await this.#begin({ kind: "now" }, 0, signal);
    if (token !== undefined) return tokenPosition(token);
    if (time !== undefined) return timePosition({ ...time, count: time.count + 1 });
    throw changeStreamFault(
      new Error("the server tells neither a token nor the time of its last operation"),
      this.#place,
    );
  }

  /** The time of the oldest operation that the server's log has; `undefined`: the user may not look. */
  async oldestLogged(signal: AbortSignal): Promise<OperationTime | undefined> {
    return await this.call(signal, async () => {
      const log = this.#client.db("local").collection("oplog.rs");
      try {
        const [oldest] = await log
          .find({}, { projection: { ts: 1 } })
          .sort({ $natural: 1 })
          .limit(1)
          .toArray();
        return timeOf(oldest?.["ts"]);
      } catch (error) {
        if (mayNotAsk(error)) return undefined;
        throw error;
      }
    });
  }

  /** The time of the server's last operation. */
  async latestOperation(signal: AbortSignal): Promise<OperationTime | undefined> {
    return (await this.#begin({ kind: "now" }, 0, signal)).time;
  }

  async close(): Promise<void> {
    await Promise.all([this.#left, closed(this.#client)]);
  }

  /** A question, and its failures as faults. */
  async call<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
    throwIfAborted(signal);
    try {
      return await firstOf(inTime(ask()), whenAborted(signal, abortedError));
    } catch (error) {
      throw this.failed(error);
    }
  }

  /**
   * The fault. A driver that finds no server may have lost its way: a connection that closes in the moment in which it
   * is asked is one that it waits for, for ever. Whoever asks next asks by another client.
   */
  failed(error: unknown): Error {
    // plant: a-driver-that-finds-no-server-is-asked-again
    if (error instanceof MongoServerSelectionError) this.#renew();
    return changeStreamFault(error, this.#place);
  }

  #renew(): void {
    const old = this.#client;
    this.#client = this.#newClient();
    this.#left = Promise.all([this.#left, closed(old)]);
  }

  #newClient(): MongoClient {
    const client = this.#makeClient();
    client.on("serverHeartbeatSucceeded", ({ reply }) => {
      const { localTime } = reply;
      if (localTime instanceof Date) this.#clock = { epochMs: localTime.getTime(), atMs: performance.now() };
    });
    return client;
  }

  /** Begins a stream, asks it for its first changes without waiting for any, and ends it. */
  async #begin(
    start: StreamStart,
    batchSize: number,
    signal: AbortSignal,
  ): Promise<{ readonly token: string | undefined; readonly time: OperationTime | undefined }> {
    const { collection } = this.#settings;
    const pipeline = [{ $changeStream: stageOf(start, this.#settings) }];
    return await this.call(signal, async () => {
      const answer = await this.#database.command({
        aggregate: collection ?? 1,
        pipeline,
        cursor: { batchSize },
        readConcern: { level: "majority" },
      });
      const { id, ns, postBatchResumeToken } = answer["cursor"];
      const name = String(ns).slice(this.#settings.database.length + 1);
      // The server ends it by itself when nobody asks for more.
      await this.#database.command({ killCursors: name, cursors: [id] }).catch(() => undefined);
      const token = postBatchResumeToken?._data;
      return {
        token: typeof token === "string" ? token : undefined,
        time: timeOf(answer["operationTime"]),
      };
    });
  }

  get #database(): Db {
    return this.#client.db(this.#settings.database);
  }

  get #place() {
    return { namespace: this.namespace, endpoints: this.#settings.endpoints };
  }
}

/** Reads the secrets; connections are made when they are needed. @throws ERR_MILLRACE_CONFIG */
export async function openCluster(settings: MongoSettings, answerMsMax?: number): Promise<MongoCluster> {
  return new MongoCluster(await prepareClient(settings, answerMsMax), settings);
}

/** The members of the stage `$changeStream`. */
function stageOf(start: StreamStart, { fullDocument }: MongoSettings): ChangeStreamOptions {
  const lookup = fullDocument === "UpdateLookup" ? { fullDocument: "updateLookup" } : {};
  switch (start.kind) {
    case "now":
      return lookup;
    case "time": {
      const { seconds, count } = start.time;
      return { ...lookup, startAtOperationTime: new Timestamp({ t: seconds, i: count }) };
    }
    case "token": {
      const token = { _data: start.token };
      // plant: a-stream-is-resumed-behind-its-end-as-behind-any-change
      return start.isInvalidation ? { ...lookup, startAfter: token } : { ...lookup, resumeAfter: token };
    }
  }
}

function timeOf(value: unknown): OperationTime | undefined {
  return value instanceof Timestamp ? { seconds: value.t, count: value.i } : undefined;
}

function closed(client: MongoClient): Promise<void> {
  return inTime(client.close()).catch(() => undefined);
}

/** Unauthorized, or a command that the server does not have. */
const MAY_NOT_ASK = [13, 26, 59, 73, 115, 303];

function mayNotAsk(error: unknown): boolean {
  return error instanceof Error && "code" in error && MAY_NOT_ASK.some((code) => code === error.code);
}
