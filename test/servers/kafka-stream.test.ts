import { after } from "node:test";
import { describeStreamSourceContract } from "../contract/stream-source.ts";
import { startKafka } from "./kafka.ts";
import { createKafkaTopic, openPlainSource } from "./kafka-topic.ts";

const server = await startKafka();
after(() => server.close());

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
  },
  createStream: (shards) => createKafkaTopic(server, { partitions: shards }),
  openMissingStream: async () => openPlainSource(server, "missing"),
});
