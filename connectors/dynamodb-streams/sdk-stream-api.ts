import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type GetShardIteratorInput,
} from "@aws-sdk/client-dynamodb-streams";
import { type CallLimits, callAws, OPENING } from "../../src/aws/call.ts";
import { SILENCE_MS_MAX } from "../../src/aws/client.ts";
import { abortable, answerOf, createLeanClient } from "../../src/aws/lean-client.ts";
import { dateMsOf, type LeanResponse } from "../../src/aws/lean-http.ts";
import { MillraceError } from "../../src/model/errors.ts";
import { parseRecords } from "./raw-records.ts";
import { type FailedCall, nameOfError, sourceError } from "./sdk-failure.ts";
import type { ChangeRecord, IteratorStart, ShardEntry, StreamApi } from "./stream-api.ts";
import type { StreamArn } from "./stream-arn.ts";

/** Longer than a page of 1 MB takes on a slow line; a call that hangs must not hold its shard for ever. */
const CALL: CallLimits = { timeoutMs: 30_000 };
/** How long a small answer may take. */
const DESCRIBE: CallLimits = { timeoutMs: OPENING.timeoutMs };
/** The engine reads up to 64 shards at once; the SDK's own 50 sockets would make some of them wait. */
const SOCKETS_MAX = 128;

/**
 * The calls through the AWS SDK: region from the ARN; credentials and endpoint by the SDK's own rules, among them
 * `AWS_ENDPOINT_URL_DYNAMODB_STREAMS`.
 */
export function createSdkStreamApi({ arn, region }: StreamArn): StreamApi {
  const pages = new Pages();
  const needs = {
    region,
    service: "dynamodb",
    connections: SOCKETS_MAX,
    silenceMs: SILENCE_MS_MAX,
    seeAnswer: (command: string, answer: LeanResponse) => pages.see(command, answer),
  };
  const client = createLeanClient(needs, (settings) => new DynamoDBStreamsClient(settings));
  return {
    async describe(afterShardId, signal) {
      const command = new DescribeStreamCommand({ StreamArn: arn, ExclusiveStartShardId: afterShardId });
      const call = { action: "DescribeStream", streamArn: arn, shardId: undefined };
      const describe = (request: AbortSignal) => client.send(abortable(command, request));
      const output = await run(call, signal, describe, DESCRIBE);
      const stream = output.StreamDescription;
      return {
        status: stream?.StreamStatus,
        partitionKeyName: stream?.KeySchema?.find(({ KeyType }) => KeyType === "HASH")?.AttributeName,
        shards: (stream?.Shards ?? []).flatMap(toShardEntry),
        lastShardId: stream?.LastEvaluatedShardId,
      };
    },
    async openIterator(shardId, from, signal) {
      const command = new GetShardIteratorCommand({
        StreamArn: arn,
        ShardId: shardId,
        ...iteratorInput(from),
      });
      const call = { action: "GetShardIterator", streamArn: arn, shardId };
      const output = await run(
        call,
        signal,
        (request) => client.send(abortable(command, request)),
        CALL,
        "trimmed",
      );
      if (typeof output === "string") return { kind: output };
      if (output.ShardIterator === undefined) throw sourceError({ name: "NoShardIterator" }, call);
      return { kind: "iterator", iterator: output.ShardIterator };
    },
    async getRecords(shardId, iterator, recordsMax, signal) {
      const command = new GetRecordsCommand({ ShardIterator: iterator, Limit: recordsMax });
      const call = { action: "GetRecords", streamArn: arn, shardId };
      const send = (request: AbortSignal) => client.send(abortable(command, request));
      const output = await run(call, signal, send, CALL, "trimmed", "expired");
      if (typeof output === "string") return { kind: output };
      return { kind: "records", ...pages.of(output), next: output.NextShardIterator };
    },
    now: () => pages.serviceTimeMs(),
    close: () => client.destroy(),
  };
}

/** What is read of answers in the SDK's place, and the service's time by their `Date`. */
class Pages {
  readonly #recordsOf = new WeakMap<LeanResponse, readonly ChangeRecord[]>();
  #aheadMs = 0;

  see(commandName: string, answer: LeanResponse): LeanResponse {
    const dateMs = dateMsOf(answer);
    if (dateMs !== undefined) this.#aheadMs = dateMs - Date.now();
    if (commandName !== "GetRecordsCommand" || answer.statusCode !== 200) return answer;
    const { records, rest } = parseRecords(answer.body.toString());
    const left = { ...answer, body: Buffer.from(rest) };
    this.#recordsOf.set(left, records);
    return left;
  }

  of(output: object): { readonly records: readonly ChangeRecord[]; readonly answeredMs: number | undefined } {
    const answer = answerOf(output);
    const records = answer === undefined ? undefined : this.#recordsOf.get(answer);
    return { records: records ?? [], answeredMs: dateMsOf(answer) };
  }

  /** At most as late as the moment in which the last answer was seen. */
  serviceTimeMs(): number {
    return Date.now() + this.#aheadMs;
  }
}

function toShardEntry(shard: {
  readonly ShardId?: string | undefined;
  readonly ParentShardId?: string | undefined;
  readonly SequenceNumberRange?:
    | {
        readonly StartingSequenceNumber?: string | undefined;
        readonly EndingSequenceNumber?: string | undefined;
      }
    | undefined;
}): ShardEntry[] {
  if (shard.ShardId === undefined) return [];
  return [
    {
      shardId: shard.ShardId,
      parentShardId: shard.ParentShardId,
      startingSequenceNumber: shard.SequenceNumberRange?.StartingSequenceNumber,
      endingSequenceNumber: shard.SequenceNumberRange?.EndingSequenceNumber,
    },
  ];
}

function iteratorInput(
  from: IteratorStart,
): Pick<GetShardIteratorInput, "ShardIteratorType" | "SequenceNumber"> {
  switch (from.kind) {
    case "oldest":
      return { ShardIteratorType: "TRIM_HORIZON" };
    case "latest":
      return { ShardIteratorType: "LATEST" };
    case "at":
      return { ShardIteratorType: "AT_SEQUENCE_NUMBER", SequenceNumber: from.sequenceNumber };
    case "after":
      return { ShardIteratorType: "AFTER_SEQUENCE_NUMBER", SequenceNumber: from.sequenceNumber };
  }
}

type Expected = "trimmed" | "expired";
const EXPECTED_NAMES: Readonly<Record<string, Expected>> = {
  TrimmedDataAccessException: "trimmed",
  ExpiredIteratorException: "expired",
};

/** The call's output, or which of the `expected` conditions it met. Rejects with the port's errors only. */
async function run<Output, E extends Expected = never>(
  call: FailedCall,
  signal: AbortSignal,
  send: (signal: AbortSignal) => Promise<Output>,
  limits: CallLimits,
  ...expected: readonly E[]
): Promise<Output | E> {
  try {
    return await callAws(signal, limits, send);
  } catch (error) {
    if (signal.aborted) throw callIsAborted(call);
    const condition = expected.find((each) => each === EXPECTED_NAMES[nameOfError(error)]);
    if (condition !== undefined) return condition;
    throw sourceError(error, call);
  }
}

function callIsAborted({ action, streamArn }: FailedCall): MillraceError {
  return new MillraceError("ERR_MILLRACE_ABORTED", `The caller stopped ${action} on ${streamArn}.`);
}
