import { turn } from "../../src/lib/steps.ts";
import type { FetchPayload, RequestOptions } from "./broker-link.ts";
import type { Lane } from "./cluster.ts";
import { KafkaFault } from "./fault.ts";
import { type FetchedPartition, type FetchResponse, readFetchResponse } from "./fetch-response.ts";
import { faultOfCode } from "./kafkajs-errors.ts";
import { PollLanes } from "./poll-lanes.ts";
import type { FetchArgs } from "./requests.ts";

/** What is needed of a cluster. */
export interface FetchLinks {
  broker(nodeId: number, lane: Lane, signal: AbortSignal): Promise<FetchLink>;
}

export interface FetchLink {
  readonly address: string;
  fetch(args: FetchArgs, options: RequestOptions): Promise<FetchPayload>;
}

export interface NodeFetcherOptions {
  readonly cluster: FetchLinks;
  readonly topic: string;
  readonly nodeId: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

export interface FetchAsk {
  readonly partition: number;
  /** The topic's id; `undefined`: the cluster has none. */
  readonly topicId: string | undefined;
  readonly offset: number;
  /**
   * Leader epoch of the record before the offset; −1: not known. Else the broker says when its log is not the one read.
   */
  readonly lastEpoch: number;
  readonly bytesMax: number;
  /** The last answer had nothing: a look alone is not worth a request. */
  readonly isIdle: boolean;
  /** Nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
}

/** How long a broker holds an answer back when none of the partitions has anything. */
export const LONG_POLL_MS = 500;
/**
 * The same for partitions that came too late for the long poll that is under way: what they get waits for so long at
 * most.
 */
const LATE_POLL_MS = 25;
/**
 * How long a partition at rest stays in the polls before it is said to have nothing, and how many are told so at once:
 * a thousand readers that are answered together all ask again, and hold the event loop and miss the next poll.
 */
export const IDLE_ANSWER_MS = 5_000;
const IDLE_ANSWERS_MAX = 20;
/** What one answer may have; a first batch that is larger comes all the same. */
const RESPONSE_BYTES_MAX = 10 * 1024 * 1024;
/** Brokers' clocks and ours do not tick alike. */
const SLACK_MS = 50;
/** In one step. */
const COPY_BYTES = 256 * 1024;
const THROTTLE_MS_MAX = 10_000;

interface Waiting extends FetchAsk {
  readonly sinceMs: number;
  /** The broker has been asked, and had nothing. */
  hasLooked: boolean;
  resolve(answer: FetchedPartition): void;
  reject(error: unknown): void;
}

/** What a request may take. */
interface Bounds {
  readonly maxWaitMs: number;
  readonly bytesMax?: number;
  readonly partitionsMax?: number;
}

const LOOK: Bounds = { maxWaitMs: 0 };
/**
 * Fetches partitions of one topic from their leader, all that wait in one request. Three kinds may be under way: a look
 * that is answered at once, long polls for partitions at their tip (one, where they are not many), so that an idle
 * partition never holds up a busy one, and a short poll for those that came to their tip while the long ones were under
 * way: they would else be seen by nobody until one ends. A partition that nobody asks for is not fetched.
 */
export class NodeFetcher {
  readonly #options: NodeFetcherOptions;
  readonly #closing = new AbortController();
  readonly #busy = new Set<Lane>();
  #waiting: Waiting[] = [];
  readonly #polls = new PollLanes();
  #isScheduled = false;

  constructor(options: NodeFetcherOptions) {
    this.#options = options;
  }

  /**
   * Resolves with the partition's part of an answer: records, an error code, or, when there was nothing for
   * LONG_POLL_MS (IDLE_ANSWER_MS where it is at rest), neither. Rejects with the KafkaFault of a request that failed.
   */
  ask(ask: FetchAsk): Promise<FetchedPartition> {
    if (this.#closing.signal.aborted) return Promise.reject(closedFault());
    const sinceMs = this.#options.now();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...ask, sinceMs, hasLooked: false, resolve, reject });
      this.#schedule();
    });
  }

  close(): void {
    this.#closing.abort();
    for (const waiting of this.#waiting.splice(0)) waiting.reject(closedFault());
  }

  /** Readers that ask in the same turn of the event loop share a request. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#start();
    });
  }

  #start(): void {
    for (const ask of this.#waiting) if (ask.signal?.aborted === true) ask.reject(closedFault());
    this.#waiting = this.#waiting.filter(({ signal }) => signal?.aborted !== true);
    this.#startPolls();
    if (!this.#busy.has("fetch")) this.#run("fetch", (ask) => !isAtTip(ask), LOOK);
    if (this.#polls.areAllLong && !this.#busy.has("late"))
      this.#run("late", isAtTip, { maxWaitMs: LATE_POLL_MS });
  }

  #startPolls(): void {
    const { lanes, partitionsMax, bytesShare } = this.#polls.plan(this.#waiting.filter(isAtTip).length);
    for (const lane of lanes) {
      // Those of the late poll are to be in the next long one, which may not begin without them.
      const isLong = !this.#busy.has("late");
      const maxWaitMs = isLong ? LONG_POLL_MS : LATE_POLL_MS;
      const bytesMax = Math.ceil(RESPONSE_BYTES_MAX * bytesShare);
      const partitions = this.#run(lane, isAtTip, { maxWaitMs, bytesMax, partitionsMax });
      if (partitions > 0) this.#polls.begin(lane, { partitions, isLong });
    }
  }

  /** Returns how many partitions are asked for; with none there is no request. */
  #run(lane: Lane, isMeant: (ask: Waiting) => boolean, bounds: Bounds): number {
    // One of each partition: an answer does not say which of two offsets it is for.
    const asks = [
      ...new Map(
        this.#waiting
          .filter(isMeant)
          .slice(0, bounds.partitionsMax)
          .toReversed()
          .map((ask) => [keyOf(ask), ask]),
      ).values(),
    ];
    if (asks.length === 0) return 0;
    asks.reverse();
    const taken = new Set(asks);
    this.#waiting = this.#waiting.filter((ask) => !taken.has(ask));
    this.#busy.add(lane);
    const freeLane = () => {
      this.#busy.delete(lane);
      this.#polls.end(lane);
      this.#schedule();
    };
    void this.#fetch(lane, asks, bounds).then(
      ({ throttleMs }) => {
        if (throttleMs > 0) setTimeout(freeLane, Math.min(throttleMs, THROTTLE_MS_MAX)).unref();
        else freeLane();
      },
      (error: unknown) => {
        for (const ask of asks) ask.reject(error);
        freeLane();
      },
    );
    return asks.length;
  }

  async #fetch(lane: Lane, asks: readonly Waiting[], bounds: Bounds): Promise<FetchResponse> {
    const { cluster, topic, nodeId } = this.#options;
    const { signal } = this.#closing;
    const link = await cluster.broker(nodeId, lane, signal);
    const topics = [...Map.groupBy(asks, ({ topicId }) => topicId)].map(([topicId, own]) => ({
      topic,
      topicId,
      partitions: own.map(({ partition, offset, lastEpoch, bytesMax }) => ({
        partition,
        fetchOffset: String(offset),
        lastFetchedEpoch: lastEpoch,
        maxBytes: bytesMax,
      })),
    }));
    const { payload, version } = await link.fetch(
      {
        maxWaitTime: bounds.maxWaitMs,
        minBytes: 1,
        maxBytes: bounds.bytesMax ?? RESPONSE_BYTES_MAX,
        isolationLevel: 1,
        topics,
      },
      { signal },
    );
    const response = this.#read(payload, version, link.address);
    await this.#answer(lane, asks, response);
    return response;
  }

  #read(payload: Buffer, version: number, broker: string): FetchResponse {
    let response: FetchResponse;
    try {
      response = readFetchResponse(payload, version);
    } catch (cause) {
      throw new KafkaFault("corrupt", `The broker ${broker} sent an answer to Fetch that cannot be read.`, {
        cause,
      });
    }
    if (response.errorCode !== 0) {
      throw faultOfCode(response.errorCode, { action: "Fetch", broker, usesTls: false });
    }
    return response;
  }

  async #answer(lane: Lane, asks: readonly Waiting[], { partitions }: FetchResponse): Promise<void> {
    const byLog = new Map(partitions.map((entry) => [keyOf(entry), entry]));
    const filled = partitions.filter(({ records }) => records.length > 0).length;
    const nowMs = this.#options.now();
    const starved: Waiting[] = [];
    let nothings = 0;
    for (const ask of asks) {
      // A broker that was asked by name does not tell an id.
      const entry = byLog.get(keyOf(ask)) ?? byLog.get(keyOf({ partition: ask.partition }));
      if (entry === undefined) {
        this.#waiting.push(ask);
      } else if (entry.errorCode !== 0 || entry.diverging !== undefined) {
        ask.resolve(entry);
      } else if (entry.records.length > 0) {
        // Records are parts of these bytes: those of a slow partition are not to keep all others' in memory.
        ask.resolve(filled > 1 ? { ...entry, records: await copyOf(entry.records) } : entry);
      } else if (ask.offset < entry.lastStableOffset && filled > 0) {
        // The answer was full before its turn came: it is first in the next.
        starved.push(ask);
      } else if (
        lane !== "fetch" &&
        nowMs - ask.sinceMs >= patienceMs(ask, entry) &&
        !(isAtRest(ask, entry) && nothings++ >= IDLE_ANSWERS_MAX)
      ) {
        ask.resolve(entry);
      } else {
        ask.hasLooked = true;
        this.#waiting.push(ask);
      }
    }
    for (const ask of starved) ask.hasLooked = false;
    this.#waiting.unshift(...starved);
  }
}

function isAtTip({ hasLooked, isIdle }: Waiting): boolean {
  return hasLooked || isIdle;
}

/** Nothing has been written since it was read to its end: there is nothing new to say of it. */
function isAtRest({ isIdle, offset }: FetchAsk, { highWatermark }: FetchedPartition): boolean {
  return isIdle && highWatermark <= offset;
}

function patienceMs(ask: FetchAsk, entry: FetchedPartition): number {
  return isAtRest(ask, entry) ? IDLE_ANSWER_MS : LONG_POLL_MS - SLACK_MS;
}

async function copyOf(bytes: Buffer): Promise<Buffer> {
  const copy = Buffer.allocUnsafe(bytes.length);
  for (let at = 0; at < bytes.length; at += COPY_BYTES) {
    const piece = bytes.subarray(at, at + COPY_BYTES);
    await turn.roomFor(piece.length, 1);
    turn.count(piece.length, 1);
    piece.copy(copy, at);
  }
  return copy;
}

function keyOf({
  partition,
  topicId = "",
}: {
  readonly partition: number;
  readonly topicId?: string | undefined;
}) {
  return `${partition}/${topicId}`;
}

function closedFault(): KafkaFault {
  return new KafkaFault("closed", "The Kafka source was closed.");
}
