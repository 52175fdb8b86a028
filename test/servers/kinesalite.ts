import { createRequire } from "node:module";
import {
  answersHttp,
  freePort,
  runningServer,
  startServerProcess,
  type TestServer,
} from "./server-process.ts";

const require = createRequire(import.meta.url);

/**
 * A Kinesis emulator that stands volume. It has no fan-out, always says that a reader is at the tip, and never answers
 * for a timestamp behind all records. `MILLRACE_TEST_KINESALITE_ENDPOINT` names a running one to use instead.
 */
export async function startKinesalite(): Promise<TestServer> {
  const running = runningServer("MILLRACE_TEST_KINESALITE_ENDPOINT");
  if (running !== undefined) return running;
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const fast = ["--createStreamMs", "5", "--deleteStreamMs", "5", "--updateStreamMs", "5"];
  return await startServerProcess({
    name: "kinesalite",
    args: [require.resolve("kinesalite/cli.js"), "--port", String(port), "--shardLimit", "1000", ...fast],
    endpoint,
    isReady: () => answersHttp(endpoint),
  });
}
