import { type EmbeddedBook, toldAsFault } from "../control/embedded/embedded-book.ts";
import { cloudOf, type Place } from "../model/place.ts";
import type { EmbeddedStream, NewRecord, PutOutcome, StreamKeeper } from "../ports/embedded-sources.ts";
import { longest, NOT_NULL, shortest, violated } from "./constraint.ts";
import type { Operation, ProducerCall } from "./operation.ts";
import { ProducerFault } from "./producer-fault.ts";
import { listShards, wireShard } from "./shard-pages.ts";
import type { WireMembers } from "./wire-members.ts";

const NAME = /^[a-zA-Z0-9_.-]+$/;
const NAME_CHARS_MAX = 128;
const KEY_CHARS_MAX = 256;
/** What a stream of Kinesis takes that nobody has told otherwise. */
const DATA_BYTES_MAX = 1024 * 1024;
const RECORDS_MAX = 500;
/** Data and keys of one PutRecords. */
const REQUEST_BYTES_MAX = 10 * 1024 * 1024;
const HASH_KEYS = 1n << 128n;
const HOUR_MS = 3_600_000;
/** A stream that is made here keeps records as long as one of Kinesis. */
const RETENTION_HOURS = 24;
/** The most that Kinesis knows; these keep theirs for ever. */
const RETENTION_HOURS_MAX = 8_760;
const ON_DEMAND_SHARDS = 4;
const DESCRIBED_SHARDS = 100;
const DESCRIBED_SHARDS_MAX = 10_000;

/** The operations of Kinesis that producers call. */
export function streamOperations(
  streams: () => EmbeddedBook<StreamKeeper>,
): Readonly<Record<string, Operation>> {
  return {
    CreateStream: (call) => createStream(streams(), call),
    DescribeStream: (call) => describeStream(streams(), call),
    DescribeStreamSummary: (call) => describeSummary(streams(), call),
    ListShards: async ({ members, place }) =>
      await listShards(members, async (name) => await streamNamed(streams(), name, place), streamNameOf),
    PutRecord: (call) => putRecord(streams(), call),
    PutRecords: (call) => putRecords(streams(), call),
  };
}

async function createStream(streams: EmbeddedBook<StreamKeeper>, { members, place }: ProducerCall) {
  refuseOthers(members, ["StreamName", "ShardCount", "StreamModeDetails"]);
  const name = checkedName(members.text("StreamName"));
  const mode = members.object("StreamModeDetails")?.text("StreamMode") ?? "PROVISIONED";
  if (!["PROVISIONED", "ON_DEMAND"].includes(mode)) {
    const sets = "Member must satisfy enum value set: [PROVISIONED, ON_DEMAND]";
    throw violated(mode, "streamModeDetails.streamMode", sets);
  }
  const given = members.integer("ShardCount");
  if (given !== undefined && given < 1)
    throw violated(given, "shardCount", "Member must have value greater than or equal to 1");
  if (given === undefined && mode === "PROVISIONED") throw violated(undefined, "shardCount", NOT_NULL);
  if (given !== undefined && mode === "ON_DEMAND")
    throw new ProducerFault(
      "ValidationException",
      "ShardCount cannot be given with the stream mode ON_DEMAND.",
    );
  const keeper = await streams.forNew(name);
  const stream = { name, shards: given ?? ON_DEMAND_SHARDS, retentionMs: RETENTION_HOURS * HOUR_MS };
  if (await toldAsFault(keeper.create(stream))) return undefined;
  const message = `Stream ${name} under account ${place.account} already exists.`;
  throw new ProducerFault("ResourceInUseException", message);
}

async function describeSummary(streams: EmbeddedBook<StreamKeeper>, { members, place }: ProducerCall) {
  refuseOthers(members, ["StreamName", "StreamARN"]);
  const name = streamNameOf(members);
  const stream = await streamNamed(streams, name, place);
  return {
    StreamDescriptionSummary: {
      ...descriptionOf(stream, place),
      OpenShardCount: stream.shards.filter(({ closed }) => !closed).length,
      ConsumerCount: 0,
    },
  };
}

/** Older than the two others; the SDKs' waiters ask it whether a stream is there yet. */
async function describeStream(streams: EmbeddedBook<StreamKeeper>, { members, place }: ProducerCall) {
  refuseOthers(members, ["StreamName", "StreamARN", "Limit", "ExclusiveStartShardId"]);
  const name = streamNameOf(members);
  const most = members.integer("Limit") ?? DESCRIBED_SHARDS;
  if (most < 1 || most > DESCRIBED_SHARDS_MAX) {
    const bound = most < 1 ? "greater than or equal to 1" : `less than or equal to ${DESCRIBED_SHARDS_MAX}`;
    throw violated(most, "limit", `Member must have value ${bound}`);
  }
  const stream = await streamNamed(streams, name, place);
  const after = members.text("ExclusiveStartShardId");
  const left = stream.shards.filter(({ shardId }) => after === undefined || shardId > after);
  const page = left.slice(0, most);
  return {
    StreamDescription: {
      ...descriptionOf(stream, place),
      Shards: page.map(wireShard),
      HasMoreShards: page.length < left.length,
    },
  };
}

function descriptionOf({ name, retentionMs, createdMs = 0 }: EmbeddedStream, place: Place): object {
  return {
    StreamName: name,
    StreamARN: streamArn(name, place),
    StreamStatus: "ACTIVE",
    StreamModeDetails: { StreamMode: "PROVISIONED" },
    RetentionPeriodHours: retentionMs === undefined ? RETENTION_HOURS_MAX : Math.ceil(retentionMs / HOUR_MS),
    StreamCreationTimestamp: createdMs / 1000,
    EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
    EncryptionType: "NONE",
  };
}

async function putRecord(streams: EmbeddedBook<StreamKeeper>, { members, place }: ProducerCall) {
  const known = ["StreamName", "StreamARN", "Data", "PartitionKey", "ExplicitHashKey"];
  // Records of one key are stored in the order of their requests without it.
  refuseOthers(members, [...known, "SequenceNumberForOrdering"]);
  const name = streamNameOf(members);
  const [outcome] = await put(streams, name, [recordOf(members, "")], place);
  if (outcome?.kind !== "stored") throw notStored(outcome);
  const { shardId, sequenceNumber } = outcome;
  return { ShardId: shardId, SequenceNumber: sequenceNumber, EncryptionType: "NONE" };
}

async function putRecords(streams: EmbeddedBook<StreamKeeper>, { members, place }: ProducerCall) {
  refuseOthers(members, ["StreamName", "StreamARN", "Records"]);
  const name = streamNameOf(members);
  const entries = members.objects("Records", RECORDS_MAX);
  if (entries === undefined) throw violated(undefined, "records", NOT_NULL);
  if (entries.length === 0) throw violated("[]", "records", shortest(1));
  if (entries.length > RECORDS_MAX) throw violated("[…]", "records", longest(RECORDS_MAX));
  const records = entries.map((entry, index) => {
    refuseOthers(entry, ["Data", "PartitionKey", "ExplicitHashKey"]);
    return recordOf(entry, `records.${index + 1}.member.`);
  });
  const bytes = records.reduce((sum, { key, data }) => sum + Buffer.byteLength(key) + data.length, 0);
  if (bytes > REQUEST_BYTES_MAX)
    throw new ProducerFault("InvalidArgumentException", "Records size exceeds 10 MB limit");
  const outcomes = await put(streams, name, records, place);
  return {
    FailedRecordCount: outcomes.filter(({ kind }) => kind !== "stored").length,
    Records: outcomes.map((outcome) => {
      if (outcome.kind === "stored")
        return { SequenceNumber: outcome.sequenceNumber, ShardId: outcome.shardId };
      const { type, message } = notStored(outcome);
      return { ErrorCode: type, ErrorMessage: message };
    }),
    EncryptionType: "NONE",
  };
}

async function put(
  streams: EmbeddedBook<StreamKeeper>,
  name: string,
  records: readonly NewRecord[],
  place: Place,
): Promise<readonly PutOutcome[]> {
  const keeper = await keeperOf(streams, name, place);
  return await toldAsFault(keeper.put(name, records));
}

/** As Kinesis says it, whose SDKs try the first two again. */
function notStored(outcome: PutOutcome | undefined): ProducerFault {
  switch (outcome?.kind) {
    case "refused":
      return new ProducerFault("InvalidArgumentException", outcome.reason);
    case "failed":
      return new ProducerFault(
        "ProvisionedThroughputExceededException",
        "The record was not stored. Try again.",
      );
    default:
      return new ProducerFault("InternalFailure", "Internal service failure.", { status: 500 });
  }
}

function recordOf(members: WireMembers, at: string): NewRecord {
  const data = members.bytes("Data");
  const key = members.text("PartitionKey");
  const hashKey = members.text("ExplicitHashKey");
  if (data === undefined) throw violated(undefined, `${at}data`, NOT_NULL);
  if (key === undefined) throw violated(undefined, `${at}partitionKey`, NOT_NULL);
  if (data.length > DATA_BYTES_MAX)
    throw violated(`${data.length} bytes`, `${at}data`, longest(DATA_BYTES_MAX));
  if (key.length === 0) throw violated("", `${at}partitionKey`, shortest(1));
  if (key.length > KEY_CHARS_MAX) throw violated(key, `${at}partitionKey`, longest(KEY_CHARS_MAX));
  if (hashKey === undefined) return { key, data };
  if (!/^(?:0|[1-9]\d{0,38})$/.test(hashKey)) {
    const pattern = "Member must satisfy regular expression pattern: 0|([1-9]\\d{0,38})";
    throw violated(hashKey, `${at}explicitHashKey`, pattern);
  }
  if (BigInt(hashKey) >= HASH_KEYS) {
    const message = `Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was ${hashKey}`;
    throw new ProducerFault("InvalidArgumentException", message);
  }
  return { key, data, hashKey };
}

async function streamNamed(
  streams: EmbeddedBook<StreamKeeper>,
  name: string,
  place: Place,
): Promise<EmbeddedStream> {
  const keeper = await keeperOf(streams, name, place);
  return (await toldAsFault(keeper.find(name))) ?? missing(name, place);
}

async function keeperOf(
  streams: EmbeddedBook<StreamKeeper>,
  name: string,
  place: Place,
): Promise<StreamKeeper> {
  return (await streams.whoHas(name)) ?? missing(name, place);
}

function missing(name: string, { account }: Place): never {
  const message = `Stream ${name} under account ${account} not found.`;
  throw new ProducerFault("ResourceNotFoundException", message);
}

/** By name, or by the ARN of either service: its region and account are whose the caller thinks it is. */
function streamNameOf(members: WireMembers): string {
  const [name, arn] = [members.text("StreamName"), members.text("StreamARN")];
  if (arn === undefined) return checkedName(name);
  const named = /^arn:aws[a-z-]*:(?:kinesis|local):[a-z0-9-]*:\d{0,12}:stream\/([a-zA-Z0-9_.-]{1,128})$/.exec(
    arn,
  )?.[1];
  if (named === undefined || (name !== undefined && name !== named))
    throw new ProducerFault(
      "InvalidArgumentException",
      `StreamARN ${arn.slice(0, 300)} is not of a stream here.`,
    );
  return named;
}

function checkedName(name: string | undefined): string {
  if (name === undefined) throw violated(undefined, "streamName", NOT_NULL);
  if (name.length < 1) throw violated(name, "streamName", shortest(1));
  if (name.length > NAME_CHARS_MAX) throw violated(name, "streamName", longest(NAME_CHARS_MAX));
  if (NAME.test(name)) return name;
  throw violated(name, "streamName", "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
}

/** What a caller says and is not done here is refused, never dropped. */
function refuseOthers(members: WireMembers, known: readonly string[]): void {
  // The SDKs add it to find a host, and it says nothing to a server that was found.
  const other = members.names.find((name) => !known.includes(name) && name !== "StreamId");
  if (other === undefined) return;
  const message = `millrace does not know ${other.slice(0, 60)} of this operation. Leave it out.`;
  throw new ProducerFault("InvalidArgumentException", message);
}

function streamArn(name: string, { region, account }: Place): string {
  return `arn:${cloudOf(region)}:kinesis:${region}:${account}:stream/${name}`;
}
