import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import {
  answersHttp,
  freePort,
  runningServer,
  startServerProcess,
  type TestServer,
} from "./server-process.ts";

const require = createRequire(import.meta.url);

/**
 * A Kinesis emulator with the service's semantics, fan-out included, over plain HTTP/1.1. Slow beyond some thousand
 * records. `MILLRACE_TEST_KINESIS_ENDPOINT` names a running one to use instead.
 */
export async function startKinesisLocal(): Promise<TestServer> {
  const running = runningServer("MILLRACE_TEST_KINESIS_ENDPOINT");
  if (running !== undefined) return running;
  const main = require.resolve("kinesis-local/main.js");
  const [plainPort, tlsPort] = [await freePort(), await freePort()];
  const endpoint = `http://127.0.0.1:${plainPort}`;
  return await startServerProcess({
    name: "kinesis-local",
    args: [main],
    endpoint,
    environment: {
      KINESIS_MOCK_CERT_PATH: join(dirname(main), "server.json"),
      KINESIS_MOCK_PLAIN_PORT: String(plainPort),
      KINESIS_MOCK_TLS_PORT: String(tlsPort),
      SHARD_LIMIT: "1000",
      LOG_LEVEL: "ERROR",
      // What takes half a second each by default.
      CREATE_STREAM_DURATION: "5ms",
      DELETE_STREAM_DURATION: "5ms",
      REGISTER_STREAM_CONSUMER_DURATION: "5ms",
      DEREGISTER_STREAM_CONSUMER_DURATION: "5ms",
      MERGE_SHARDS_DURATION: "5ms",
      SPLIT_SHARD_DURATION: "5ms",
      UPDATE_SHARD_COUNT_DURATION: "5ms",
    },
    isReady: () => answersHttp(`${endpoint}/healthcheck`),
  });
}
