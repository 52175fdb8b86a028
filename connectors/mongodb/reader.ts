import { inTime } from "../../src/brokers/in-time.ts";
import { firstOf, type Interruption, whenAborted } from "../../src/lib/first-of.ts";
import { isPassingFault } from "../../src/model/errors.ts";
import type { Position, StreamRecord } from "../../src/model/record.ts";
import type { ShardRead, ShardReader } from "../../src/ports/stream-source.ts";
import { SILENCE_MS_MAX } from "./client.ts";
import type { Changes, MongoCluster } from "./cluster.ts";
import { changeOf } from "./event.ts";
import { abortedError, isHistoryLost, isTooLarge, throwIfAborted } from "./fault.ts";
import { type ChangePlace, comparePositions, parsePosition, positionOf, tokenPosition } from "./position.ts";
import type { HistoryLost } from "./settings.ts";
import { oldestPlace } from "./start-place.ts";

export interface ChangeReaderOptions {
  readonly cluster: MongoCluster;
  readonly place: ChangePlace;
  readonly historyLost: HistoryLost;
  /** What the stream is of: another namespace has other tokens. */
  readonly logId: string;
  readonly knownLogId: string | undefined;
  /** Longest silence of a server before its stream is begun anew. */
  readonly silenceMsMax?: number;
}

/** A server that waits for changes answers sooner. */
const READ_MS_MAX = 2_000;
/** Some servers do not wait for changes. */
const IDLE_INTERVAL_MS = 100;
/**
 * What is done about a change that is larger than the server can send, and fails the batch that it is in: changes are
 * asked for one by one until it is the next, and that one is taken without what makes it large.
 */
type Care = "none" | "single" | "shrunk";

/** Without what makes a change large. */
const SHRINK = [{ $project: { _id: 1, operationType: 1, clusterTime: 1, ns: 1, documentKey: 1 } }];

/**
 * Reads one change stream. A stream that ends since its cursor is gone, a member stepped down or a connection broke is
 * begun anew once behind the last change that was taken, before its failure shows.
 */
export class ChangeReader implements ShardReader {
  readonly #options: ChangeReaderOptions;
  readonly #silenceMsMax: number;
  /** Behind all that was taken from the stream. */
  #place: ChangePlace;
  #changes: Changes | undefined;
  #pending: { readonly change: Promise<object | null>; readonly askedMs: number } | undefined;
  /** Taken from the stream, and beyond the bounds of the read. */
  #held: StreamRecord | undefined;
  /** Why a stream ended behind records that had to be given first. */
  #failure: unknown;
  #care: Care = "none";
  #ending: Promise<void> | undefined;
  /** Begun anew since the server has answered last. */
  #isBegunAnew = false;
  #hasGap = false;
  #isOther: boolean;
  #newestMs: number | undefined;

  constructor(options: ChangeReaderOptions) {
    this.#options = options;
    this.#silenceMsMax = options.silenceMsMax ?? SILENCE_MS_MAX;
    this.#place = options.place;
    this.#isOther = options.knownLogId !== undefined && options.knownLogId !== options.logId;
  }

  async read(recordsMax: number, bytesMax: number, signal: AbortSignal): Promise<ShardRead> {
    throwIfAborted(signal);
    if (this.#isOther) return await this.#tellAnew(signal);
    const startedMs = performance.now();
    const records: StreamRecord[] = [];
    let bytes = 0;
    let next: StreamRecord | "nothing" | "waiting" = "nothing";
    while (records.length < recordsMax) {
      next = await this.#next(records.length === 0, signal);
      if (typeof next === "string") break;
      bytes += next.bytes;
      if (records.length > 0 && bytes > bytesMax) break;
      this.#held = undefined;
      records.push(next);
    }
    const trimmed = this.#hasGap;
    this.#hasGap = false;
    const isIdle = records.length === 0;
    const elapsedMs = performance.now() - startedMs;
    return {
      records,
      endOfShard: false,
      lagMs: this.#lagMs(isIdle),
      readAgainAfterMs: isIdle ? Math.max(0, IDLE_INTERVAL_MS - elapsedMs) : 0,
      ...(next === "waiting" ? { nothingHeard: true as const } : this.#heard()),
      trimmed,
      logId: this.#options.logId,
    };
  }

  async close(): Promise<void> {
    this.#end();
    await this.#ending;
  }

  /** `nothing`: none is at hand, or the server says that there is none. `waiting`: it has not answered. */
  async #next(mayWait: boolean, signal: AbortSignal): Promise<StreamRecord | "nothing" | "waiting"> {
    if (this.#held !== undefined) return this.#held;
    if (!mayWait && !this.#isAtHand) return "nothing";
    try {
      if (this.#failure !== undefined) throw this.#takeFailure();
      const change = await this.#take(signal);
      if (change === "waiting") return change;
      this.#isBegunAnew = false;
      if (change !== null) return this.#accept(change);
      this.#sawNothing();
      return "nothing";
    } catch (error) {
      if (mayWait && signal.aborted) throw abortedError();
      await this.#recover(error, mayWait, signal);
    }
    return mayWait ? await this.#next(mayWait, signal) : "nothing";
  }

  get #isAtHand(): boolean {
    return this.#pending === undefined && (this.#changes?.bufferedCount() ?? 0) > 0;
  }

  async #take(signal: AbortSignal): Promise<object | null | "waiting"> {
    this.#changes ??= this.#begin();
    if (this.#isAtHand) return await this.#changes.tryNext();
    this.#pending ??= { change: this.#changes.tryNext(), askedMs: performance.now() };
    const { change, askedMs } = this.#pending;
    // Its failure is seen by the read that waits for it, which may come later.
    change.catch(() => undefined);
    const answer = await firstOf(change, whenTimeIsUp, whenAborted(signal, abortedError));
    if (answer !== "waiting") this.#pending = undefined;
    // plant: a-stream-whose-server-is-silent-is-waited-for
    else if (performance.now() - askedMs > this.#silenceMsMax) throw new Error("the server did not answer");
    return answer;
  }

  #begin(): Changes {
    const { cluster } = this.#options;
    if (this.#care === "none") return cluster.watch(this.#place);
    // plant: a-change-that-is-too-large-costs-its-neighbours
    return cluster.watch(this.#place, this.#care === "shrunk" ? SHRINK : [], { batchSize: 1 });
  }

  #accept(document: object): StreamRecord {
    const isShrunk = this.#care === "shrunk";
    const { record, isInvalidation } = changeOf(
      document,
      isShrunk ? "is larger than the server can send" : undefined,
    );
    this.#place = parsePosition(record.position);
    this.#newestMs = record.arrivalMs;
    this.#held = record;
    if (isShrunk) this.#care = "none";
    if (isInvalidation || isShrunk) this.#end();
    return record;
  }

  /** The place moves on while nothing happens in the namespace: a token that stands still leaves the server's log. */
  #sawNothing(): void {
    const token: unknown = Reflect.get(Object(this.#changes?.resumeToken), "_data");
    if (typeof token !== "string") return;
    // Behind the end of a stream a server may name the time at which it ended, which is before it.
    // plant: the-place-of-an-idle-stream-goes-back
    if (comparePositions(token, positionOf(this.#place)) <= 0) return;
    // plant: the-place-of-an-idle-stream-stands-still
    this.#place = parsePosition(tokenPosition(token));
  }

  /** Makes ready for another try. @throws the fault, where there is none, or the last one was in vain. */
  async #recover(error: unknown, mayWait: boolean, signal: AbortSignal): Promise<void> {
    this.#end();
    const fault = this.#options.cluster.failed(error);
    if (!mayWait) {
      this.#failure = fault;
      return;
    }
    if (isTooLarge(fault) && this.#care !== "shrunk") {
      this.#care = this.#care === "none" ? "single" : "shrunk";
      return;
    }
    const { historyLost } = this.#options;
    const isLost = isHistoryLost(fault) && historyLost !== "stop";
    const isInVain = this.#isBegunAnew || !(isLost || isPassingFault(fault));
    this.#isBegunAnew = !isInVain;
    if (isInVain) throw fault;
    if (isLost) await this.#goOn(historyLost, signal);
  }

  /** Without what the server no longer has. */
  async #goOn(from: "oldest" | "latest", signal: AbortSignal): Promise<void> {
    const { cluster } = this.#options;
    this.#place =
      from === "oldest"
        ? await oldestPlace(cluster, signal)
        : parsePosition(await cluster.latestPosition(signal));
    // plant: what-is-missing-behind-a-lost-history-is-not-counted
    this.#hasGap = true;
  }

  #takeFailure(): unknown {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }

  async #tellAnew(signal: AbortSignal): Promise<ShardRead> {
    const { logId, knownLogId, cluster } = this.#options;
    this.#place = await oldestPlace(cluster, signal);
    this.#isOther = false;
    const told = `The mapping reads ${logId} by now, and read ${knownLogId} before.`;
    const anew = { because: "remade", from: { kind: "oldest" }, told } as const;
    return {
      records: [],
      endOfShard: false,
      lagMs: undefined,
      readAgainAfterMs: 0,
      trimmed: false,
      logId,
      anew,
    };
  }

  /** What a server's answer tells beside records. A time is no place to go on from: tokens are. */
  #heard(): Pick<ShardRead, "lookedTo" | "answeredMs"> {
    const answeredMs = this.#options.cluster.nowMs();
    const lookedTo = this.#held === undefined ? this.#lookedTo() : undefined;
    return {
      ...(answeredMs === undefined ? {} : { answeredMs }),
      ...(lookedTo === undefined ? {} : { lookedTo }),
    };
  }

  #lookedTo(): Position | undefined {
    return this.#place.kind === "token" ? positionOf(this.#place) : undefined;
  }

  #lagMs(isIdle: boolean): number | undefined {
    if (isIdle) return 0;
    const nowMs = this.#options.cluster.nowMs();
    if (nowMs === undefined || this.#newestMs === undefined) return undefined;
    return Math.max(1, nowMs - this.#newestMs);
  }

  /** What is under way fails, and nobody sees it. */
  #end(): void {
    const changes = this.#changes;
    this.#changes = undefined;
    this.#pending = undefined;
    if (changes !== undefined) this.#ending = inTime(changes.close()).catch(() => undefined);
  }
}

const whenTimeIsUp: Interruption<"waiting"> = ({ resolve }) => {
  const timer = setTimeout(() => resolve("waiting"), READ_MS_MAX);
  return () => clearTimeout(timer);
};
