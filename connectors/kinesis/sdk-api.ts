import {
  type ChildShard,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  type GetRecordsCommandOutput,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
  type _Record as SdkRecord,
  type Shard as SdkShard,
  SubscribeToShardCommand,
} from "@aws-sdk/client-kinesis";
import { type CallLimits, callAws, OPENING } from "../../src/aws/call.ts";
import { HandCalls } from "../../src/aws/hand-call.ts";
import { abortable, answerOf } from "../../src/aws/lean-client.ts";
import { dateMsOf, type LeanResponse } from "../../src/aws/lean-http.ts";
import { arrivalOf } from "../../src/model/arrival.ts";
import type {
  ApiRecord,
  HashKeyRange,
  KinesisApi,
  KinesisShardEntry,
  RecordsPage,
  ShardPlace,
  SubscriptionEvent,
} from "./kinesis-api.ts";
import { KinesisFault, throwIfAborted } from "./kinesis-api.ts";
import { checkedSequenceNumber, type RawPage, readPage } from "./raw-records.ts";
import { createPollingClient, createSubscriptionClient } from "./sdk-client.ts";
import { toFault } from "./sdk-errors.ts";
import { ServiceClock } from "./service-clock.ts";
import type { StreamArn } from "./stream-arn.ts";

const SHARDS_PER_PAGE = 1_000;
/** A stream has at most some ten thousand shards. */
const PAGES_MAX = 1_000;
/** How long a page of 10 MiB may take on a slow line, or a long list; and a subscription, until its events may come. */
const CALL: CallLimits = { timeoutMs: 60_000 };

/** `createSubscriber` makes the client of subscriptions, once there is one. */
export function createSdkApi(arn: StreamArn, createSubscriber = createSubscriptionClient): KinesisApi {
  return new SdkApi(arn, createSubscriber);
}

class SdkApi implements KinesisApi {
  readonly #arn: StreamArn;
  readonly #clock = new ServiceClock();
  readonly #polling: KinesisClient;
  readonly #createSubscriber: typeof createSubscriptionClient;
  readonly #hand: HandCalls;
  #subscribing: KinesisClient | undefined;
  /** By name as well: emulators know no other, and other accounts' streams no name alone. */
  readonly #stream: { readonly StreamName: string; readonly StreamARN?: string };

  constructor(arn: StreamArn, createSubscriber: typeof createSubscriptionClient) {
    this.#arn = arn;
    this.#createSubscriber = createSubscriber;
    this.#polling = createPollingClient(arn.region, (_command, answer) => {
      this.#clock.observe(answer.headers["date"]);
      return answer;
    });
    this.#hand = new HandCalls(this.#polling);
    this.#stream =
      arn.streamArn === undefined
        ? { StreamName: arn.name }
        : { StreamName: arn.name, StreamARN: arn.streamArn };
  }

  describeStream(signal: AbortSignal) {
    const describe = async (request: AbortSignal) => {
      const command = new DescribeStreamSummaryCommand(this.#stream);
      const output = await this.#polling.send(abortable(command, request));
      return { createdMs: arrivalOf(output.StreamDescriptionSummary?.StreamCreationTimestamp) };
    };
    return this.#call("DescribeStreamSummary", signal, describe, OPENING);
  }

  listShards(signal: AbortSignal) {
    return this.#call("ListShards", signal, async (request) => {
      const shards: KinesisShardEntry[] = [];
      let nextToken: string | undefined;
      for (let pages = 0; pages < PAGES_MAX; pages++) {
        // A token stands for the stream: both together are refused.
        const from = nextToken === undefined ? this.#stream : { NextToken: nextToken };
        const command = new ListShardsCommand({ ...from, MaxResults: SHARDS_PER_PAGE });
        const output = await this.#polling.send(abortable(command, request));
        for (const shard of output.Shards ?? []) shards.push(toShard(shard));
        nextToken = output.NextToken;
        if (!nextToken) return shards;
      }
      throw new KinesisFault(
        "unavailable",
        `kinesis:ListShards on ${this.#arn.arn} does not come to an end.`,
      );
    });
  }

  shardIterator(shardId: string, place: ShardPlace, signal: AbortSignal) {
    return this.#call("GetShardIterator", signal, async (request) => {
      const { Type, SequenceNumber, Timestamp } = startingPosition(place);
      const command = new GetShardIteratorCommand({
        ...this.#stream,
        ShardId: shardId,
        ShardIteratorType: Type,
        StartingSequenceNumber: SequenceNumber,
        Timestamp,
      });
      const output = await this.#polling.send(abortable(command, request));
      if (output.ShardIterator === undefined) {
        throw new KinesisFault("unavailable", `kinesis:GetShardIterator on ${this.#arn.arn} gave none.`);
      }
      return output.ShardIterator;
    });
  }

  records(iterator: string, recordsMax: number, signal: AbortSignal): Promise<RecordsPage> {
    return this.#call("GetRecords", signal, (request) => {
      const { streamArn } = this.#arn;
      const input = {
        ShardIterator: iterator,
        Limit: recordsMax,
        ...(streamArn === undefined ? {} : { StreamARN: streamArn }),
      };
      const question = {
        body: JSON.stringify(input),
        command: () => new GetRecordsCommand(input),
        send: (command: GetRecordsCommand) => this.#polling.send(command),
        read: (answer: LeanResponse) => {
          this.#clock.observe(answer.headers["date"]);
          return toPage(readPage(answer.body), answer);
        },
        take: (output: GetRecordsCommandOutput) => toPage(pageOf(output), answerOf(output)),
      };
      return this.#hand.ask("GetRecords", question, request);
    });
  }

  subscribe(shardId: string, place: ShardPlace, end: AbortSignal): Promise<AsyncIterable<SubscriptionEvent>> {
    return this.#call("SubscribeToShard", end, async () => {
      this.#subscribing ??= this.#createSubscriber(this.#arn.region, this.#clock);
      const command = new SubscribeToShardCommand({
        ConsumerARN: this.#arn.consumerArn,
        ShardId: shardId,
        StartingPosition: startingPosition(place),
      });
      // The caller's: its abort ends the events too, long after this call.
      const output = await this.#subscribing.send(command, { abortSignal: end });
      return this.#events(output.EventStream ?? [], this.#clock.answeredMs(output), end);
    });
  }

  serviceTimeMs(): number {
    return this.#clock.timeMs();
  }

  close(): void {
    this.#polling.destroy();
    this.#subscribing?.destroy();
  }

  async *#events(
    stream: Iterable<never> | AsyncIterable<SdkEvent>,
    openedMs: number | undefined,
    end: AbortSignal,
  ): AsyncGenerator<SubscriptionEvent> {
    // Only the answer to the subscription has a date; how long it is ago, our monotonic clock measures.
    const startedMs = performance.now();
    try {
      for await (const { SubscribeToShardEvent: event } of stream) {
        if (event === undefined) continue;
        yield {
          records: toRecords(event.Records),
          continuation: event.ContinuationSequenceNumber,
          lagMs: event.MillisBehindLatest,
          answeredMs: openedMs === undefined ? undefined : openedMs + (performance.now() - startedMs),
          childShards: (event.ChildShards ?? []).map(toChildShard),
        };
      }
    } catch (error) {
      throw toFault(error, "SubscribeToShard", this.#arn, end);
    }
  }

  /** One call, its failure as a fault. */
  async #call<T>(
    action: string,
    signal: AbortSignal,
    send: (request: AbortSignal) => Promise<T>,
    limits = CALL,
  ): Promise<T> {
    throwIfAborted(signal);
    try {
      return await callAws(signal, limits, send);
    } catch (error) {
      if (error instanceof KinesisFault) throw error;
      throw toFault(error, action, this.#arn, signal);
    }
  }
}

interface SdkEvent {
  readonly SubscribeToShardEvent?:
    | {
        readonly Records: SdkRecord[] | undefined;
        readonly ContinuationSequenceNumber: string | undefined;
        readonly MillisBehindLatest: number | undefined;
        readonly ChildShards?: ChildShard[] | undefined;
      }
    | undefined;
}

function startingPosition(place: ShardPlace) {
  switch (place.kind) {
    case "oldest":
      return { Type: "TRIM_HORIZON" } as const;
    case "timestamp":
      return { Type: "AT_TIMESTAMP", Timestamp: new Date(place.epochMs) } as const;
    case "at":
      return { Type: "AT_SEQUENCE_NUMBER", SequenceNumber: place.sequenceNumber } as const;
    case "after":
      return { Type: "AFTER_SEQUENCE_NUMBER", SequenceNumber: place.sequenceNumber } as const;
  }
}

function toPage({ childShards, ...page }: RawPage, answer: LeanResponse | undefined): RecordsPage {
  return { ...page, answeredMs: dateMsOf(answer), childShards: childShards.map(toChildShard) };
}

function pageOf({
  Records,
  NextShardIterator,
  MillisBehindLatest,
  ChildShards = [],
}: GetRecordsCommandOutput): RawPage {
  return {
    records: toRecords(Records),
    nextIterator: NextShardIterator,
    lagMs: MillisBehindLatest,
    childShards: ChildShards,
  };
}

function toRecords(records: readonly SdkRecord[] | undefined): readonly ApiRecord[] {
  return (records ?? []).map(({ SequenceNumber, PartitionKey, Data, ApproximateArrivalTimestamp }) => ({
    sequenceNumber: checkedSequenceNumber(SequenceNumber),
    partitionKey: PartitionKey ?? "",
    data: toBuffer(Data),
    arrivalMs: arrivalOf(ApproximateArrivalTimestamp),
  }));
}

/** The same bytes. */
function toBuffer(data: Uint8Array | undefined): Buffer {
  return data === undefined
    ? Buffer.alloc(0)
    : Buffer.from(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}

function toShard(shard: SdkShard): KinesisShardEntry {
  const parents = [shard.ParentShardId, shard.AdjacentParentShardId].filter((id) => typeof id === "string");
  return {
    shardId: shard.ShardId ?? "",
    parentShardIds: parents,
    closed: typeof shard.SequenceNumberRange?.EndingSequenceNumber === "string",
    hashKeys: toRange(shard.HashKeyRange),
  };
}

function toChildShard(shard: ChildShard): KinesisShardEntry {
  return {
    shardId: shard.ShardId ?? "",
    parentShardIds: shard.ParentShards ?? [],
    closed: false,
    hashKeys: toRange(shard.HashKeyRange),
  };
}

function toRange(range: SdkShard["HashKeyRange"]): HashKeyRange {
  return { first: BigInt(range?.StartingHashKey ?? 0), last: BigInt(range?.EndingHashKey ?? 0) };
}
