import { after } from "node:test";
import { describeStreamSourceContract } from "../contract/stream-source.ts";
import { startKafka } from "./kafka.ts";
import { createKafkaTopic, openPlainSource } from "./kafka-topic.ts";

const server = await startKafka();
after(() => server.close());

/** Brokers refuse times of the future since Kafka 4; topics that are older, and those that are set so, hold them. */
const ANY_TIME = { "message.timestamp.after.max.ms": String(2n ** 63n - 1n) };

describeStreamSourceContract("Kafka", {
  can: {
    startAtTimestamp: true,
    split: false,
    merge: false,
    trim: true,
    // By a restart of the broker, which ends all its connections.
    expireIterators: true,
    noWindows: true,
    holdsFetched: true,
    remake: true,
    // By a broker whose segment is cut while it is down.
    loseEnd: true,
    unseen: true,
    foreignTimes: true,
  },
  createStream: (shards) => createKafkaTopic(server, { partitions: shards, config: ANY_TIME }),
  openMissingStream: async () => openPlainSource(server, "missing"),
});
