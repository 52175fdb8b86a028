import { MillraceError } from "../../src/model/errors.ts";
import {
  createKinesisRecordFactory,
  encodeKinesisEvent,
  KINESIS_ENVELOPE_BYTES,
  type KinesisRecord,
  kinesisElement,
  kinesisEventOf,
  kinesisFilterDocument,
} from "../../src/model/kinesis-event.ts";
import type { Position, StreamRecord, TumblingWindow } from "../../src/model/record.ts";
import type { StreamEvents } from "../../src/ports/stream-source.ts";
import { SeededRandom } from "../simulation/random.ts";
import { VirtualTime } from "../simulation/virtual-clock.ts";
import { FaultDesk, type FaultKind } from "../simulation/world/fault-desk.ts";
import { SimProcess } from "../simulation/world/process.ts";
import { createSimSource, SIM_STREAM_ARN } from "../simulation/world/source.ts";
import { EPOCH_MS, SimStream } from "../simulation/world/stream.ts";
import { driven } from "./simulated-drive.ts";
import { describeStreamSourceContract } from "./stream-source.ts";
import type { SampleRecord, StreamFixture } from "./stream-source-harness.ts";

/** Troubles that the laws tell an adapter to hide, at rates at which they happen all the time. */
const HIDDEN_TROUBLES: readonly FaultKind[] = ["iterator expired", "read slow"];

for (const [name, rate] of [
  ["simulated", 0],
  ["simulated, troubled", 0.4],
] as const) {
  describeStreamSourceContract(name, {
    can: {
      startAtTimestamp: true,
      split: true,
      merge: true,
      trim: true,
      expireIterators: false,
      remake: true,
      loseEnd: true,
      unseen: true,
    },
    createStream: async (shards) => createFixture(shards, rate),
    openMissingStream: () =>
      Promise.reject(new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", "There is no such stream.")),
  });
}

function createFixture(shards: number, rate: number): StreamFixture {
  const random = new SeededRandom(11);
  const time = new VirtualTime(random.fork("tie-breaks"));
  const stream = new SimStream(shards, () => time.now, random.fork("stream"));
  const events = new HonestEvents();
  const rates = Object.fromEntries(HIDDEN_TROUBLES.map((kind) => [kind, rate]));
  const faults = new FaultDesk(rates, new Map());
  const shardOf = (shardId: string) => {
    const shard = stream.shard(shardId);
    if (shard === undefined) throw new Error(`no shard ${shardId}`);
    return shard;
  };
  let opened = 0;
  return {
    async openSource() {
      const own = random.fork(`process ${opened}`);
      const process = new SimProcess(opened++, "process", time, own, { wallOffsetMs: 0, rate: 1 });
      const source = createSimSource({
        stream,
        process,
        time,
        faults,
        events,
        tellsLogs: true,
        readIntervalMs: 20,
        tellsLag: true,
        record: () => {},
        // The suite reads before the quota allows it: it asks for no pause where nothing is to come.
        breach: () => {},
      });
      const openReader: typeof source.openReader = async (...args) =>
        driven(time, await source.openReader(...args));
      return driven(time, { ...source, openReader });
    },
    async append(shardId, records) {
      for (const record of records) stream.appendTo(shardOf(shardId), events.newRecord(record));
    },
    async split(shardId) {
      stream.split(shardOf(shardId));
    },
    async merge([left]) {
      stream.merge(shardOf(left));
    },
    async remake() {
      stream.remove();
      stream.make(1, true);
    },
    async loseEnd(shardId, kept) {
      stream.loseEnd(shardOf(shardId), kept);
    },
    async appendUnseen(shardId) {
      stream.appendPlace(shardOf(shardId));
    },
    async trimBefore(epochMs) {
      for (const shard of stream.current) {
        const kept = shard.records.filter((record) => record.arrivedMs >= epochMs).length;
        stream.trim(shard, 1 - kept / Math.max(1, shard.records.length));
      }
    },
    expireIterators: async () => {},
    async pause(ms) {
      await time.run(time.now + ms, () => false);
    },
    dataOf: (event) => dataOf(event),
    async [Symbol.asyncDispose]() {},
  };
}

/** Kinesis events of the simulated records, as a function would get them. */
class HonestEvents implements StreamEvents {
  readonly envelopeBytes = () => KINESIS_ENVELOPE_BYTES;
  readonly filterDataKey = "data";
  readonly #records = new Map<Position, KinesisRecord>();

  newRecord({ key, data }: SampleRecord) {
    return {
      key,
      bytes: 0,
      encodedBytes: 0,
      accepted: true,
      poison: false,
      measure: (shardId: string, position: Position) => {
        const make = createKinesisRecordFactory({
          eventSourceArn: SIM_STREAM_ARN,
          awsRegion: "eu-west-1",
          invokeIdentityArn: "arn:aws:iam::123456789012:role/simulated",
          shardId,
        });
        const record = make(position, key, Buffer.from(data), EPOCH_MS);
        this.#records.set(position, record);
        return record;
      },
    };
  }

  element(record: StreamRecord): Uint8Array {
    return kinesisElement(this.#honest(record));
  }

  eventOf(_shardId: string, elements: readonly Uint8Array[]): Uint8Array {
    return kinesisEventOf(elements);
  }

  encode(records: readonly StreamRecord[], window: TumblingWindow | undefined): Uint8Array {
    return encodeKinesisEvent(
      records.map((record) => this.#honest(record)),
      SIM_STREAM_ARN,
      window,
    );
  }

  filterDocument(record: StreamRecord) {
    return kinesisFilterDocument(this.#honest(record));
  }

  #honest(record: StreamRecord): KinesisRecord {
    const honest = this.#records.get(record.position);
    if (honest === undefined) throw new Error(`no record at ${record.position}`);
    return honest;
  }
}

function dataOf(event: unknown): string[] {
  if (typeof event !== "object" || event === null || !("Records" in event) || !Array.isArray(event.Records)) {
    throw new TypeError("not an event");
  }
  return event.Records.map((record: { kinesis: { data: string } }) =>
    Buffer.from(record.kinesis.data, "base64").toString(),
  );
}
