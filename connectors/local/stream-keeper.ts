import type { DatabaseSync } from "node:sqlite";
import { MillraceError } from "../../src/model/errors.ts";
import { cloudOf, type Place } from "../../src/model/place.ts";
import type {
  EmbeddedSources,
  EmbeddedStream,
  NewEmbeddedStream,
  NewRecord,
  StreamKeeper,
} from "../../src/ports/embedded-sources.ts";
import { DEFAULT_FILE, KeeperFile } from "./keeper-file.ts";
import { type AppendedRecord, checkedRecord } from "./local-stream.ts";
import { parseStreamArn } from "./stream-arn.ts";
import type { StreamFile } from "./stream-file.ts";
import { endsOfShards, peekRecords } from "./stream-peek.ts";

/** The streams of a file, for whoever puts records in. */
export function embeddedStreams(endpointName: string): EmbeddedSources<StreamKeeper> {
  return {
    endpointName,
    defaultPlace: DEFAULT_FILE,
    nameOf: (arn) => nameWithin(() => parseStreamArn(arn).name),
    arnOf: (name, { region, account }: Place) =>
      `arn:${cloudOf(region)}:local:${region}:${account}:stream/${name}`,
    open: async (at, mayCreate) => keeperOf(await KeeperFile.open(at, mayCreate)),
  };
}

/** `undefined` where an ARN cannot be read. */
export function nameWithin(read: () => string): string | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof MillraceError) return undefined;
    throw error;
  }
}

function keeperOf(kept: KeeperFile): StreamKeeper {
  return {
    names: () => kept.read(({ file }) => file.streamNames()),
    has: (name) => kept.read(({ file }) => file.hasStream(name)),
    find: (name) =>
      kept.read(({ file, database }) => (file.hasStream(name) ? described(file, database, name) : undefined)),
    create: (stream) => kept.write(({ file }) => createOnce(file, stream)),
    put: (name, records) =>
      kept.put(records, {
        check: (record) => void checkedRecord(toAppended(record)),
        bytesOf: ({ key, data }) => key.length + data.length,
        store: ({ file }, items) =>
          file
            .openStream(name)
            .append(items.map(toAppended))
            .map(({ shardId, position }) => ({ kind: "stored", shardId, sequenceNumber: position })),
      }),
    peek: (name, wanted) => kept.read(({ database }) => peekRecords(kept.path, database, name, wanted)),
    close: () => kept.close(),
  };
}

function createOnce(file: StreamFile, stream: NewEmbeddedStream): boolean {
  // plant: each-of-two-made-the-local-stream
  if (file.hasStream(stream.name)) return false;
  file.createStream(stream);
  return true;
}

function described(file: StreamFile, database: DatabaseSync, name: string): EmbeddedStream {
  const stream = file.openStream(name);
  const { retentionMs, createdMs } = stream;
  const ends = endsOfShards(database, name);
  const shards = stream.listShards().map((shard) => {
    return { ...shard, endSequenceNumber: shard.closed ? ends.get(shard.shardId) : undefined };
  });
  return { name, retentionMs, createdMs, shards };
}

function toAppended({ key, data, hashKey }: NewRecord): AppendedRecord {
  return { partitionKey: key, data, ...(hashKey === undefined ? {} : { explicitHashKey: hashKey }) };
}
