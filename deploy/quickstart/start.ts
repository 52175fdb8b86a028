/**
 * `npm start`: the quick start. Appends 20,000 flights to a local stream of four shards, runs `manifest.yaml` over it until
 * all of them are processed, and says what came of it. Run again, it goes on where it was.
 *
 *   npm start -- --keep    goes on serving afterwards, until Ctrl-C
 *   npm start -- --fresh   forgets earlier runs first
 */
import { rmSync } from "node:fs";
import { relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { endWith, main } from "../../src/main.ts";
import { appendFlightsOnce, readStream, STREAM_SHARDS } from "./flights.ts";
import { readFailedEventIds, readSeen, summarise } from "./summary.ts";

const FOLDER = resolve(import.meta.dirname, "../../.data/quickstart");
const STREAM_FILE = resolve(FOLDER, "stream.db");
const SEEN_FILE = resolve(FOLDER, "seen.jsonl");
const FAILED_FILE = resolve(FOLDER, "failed.jsonl");
const MANIFEST = resolve(import.meta.dirname, "manifest.yaml");
const RUN = [
  "run",
  "-f",
  MANIFEST,
  "--store",
  `sqlite:${FOLDER}/progress.db`,
  "--checkpoint-interval-ms",
  "20",
];

const options = { keep: { type: "boolean" }, fresh: { type: "boolean" } } as const;
const { keep = false, fresh = false } = parseArgs({ options }).values;

if (fresh) rmSync(FOLDER, { recursive: true, force: true });
await appendFlightsOnce(STREAM_FILE);
const stream = await readStream(STREAM_FILE);
const invocationsBefore = readSeen(SEEN_FILE).length;

say(
  `The stream in ${here(STREAM_FILE)} holds ${stream.length.toLocaleString("en")} flights in ${STREAM_SHARDS} shards.`,
);
say(
  `Running ${here(MANIFEST)}: ten lanes a shard, batches of 10, bisect, failures to ${here(FAILED_FILE)}.\n`,
);
let status = await main([...RUN, "--api", "127.0.0.1:0", "--until-caught-up"]);

if (status === 0) {
  const failed = readFailedEventIds(FAILED_FILE);
  const summary = summarise(stream, readSeen(SEEN_FILE), failed, invocationsBefore);
  say(`\n${summary.lines.join("\n")}`);
  status = summary.isRight ? 0 : 1;
}
if (status === 0 && keep) {
  say("\nServing on, until Ctrl-C: http://127.0.0.1:8080/metrics and /millrace/v1/status.");
  status = await main(RUN);
}
endWith(status);

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function here(path: string): string {
  return relative(process.cwd(), path);
}
