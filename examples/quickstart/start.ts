/**
 * `npm start`: the quick start. Puts 20,000 flights on a local stream of four shards and 2,000 arrivals on a local FIFO
 * queue, runs `manifest.yaml` over them until all of them are processed, and says what came of it. Run again, it goes
 * on where it was.
 *
 *   npm start -- --keep    goes on serving afterwards, until Ctrl-C npm start -- --fresh   forgets earlier runs first
 */
import { rmSync } from "node:fs";
import { relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { endWith, main } from "../../src/main.ts";
import { listArrivals, RECEIVE_COUNT_MAX, readDeadLetters, readWaiting } from "./arrivals-queue.ts";
import { readStream, STREAM_SHARDS } from "./flights.ts";
import { readSeenBatches, summariseQueue } from "./queue-summary.ts";
import { fillSourceFileOnce } from "./source-file.ts";
import { readFailedEventIds, readSeen, summariseStream } from "./stream-summary.ts";
import { formatNumber, formatSummaries } from "./summary.ts";

const FOLDER = resolve(import.meta.dirname, "../../.data/quickstart");
const SOURCE_FILE = resolve(FOLDER, "sources.db");
const SEEN_FILE = resolve(FOLDER, "seen.jsonl");
const SEEN_ARRIVALS_FILE = resolve(FOLDER, "arrivals.jsonl");
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

const NEXT = `
Next:
  npm run -s millrace -- dev                                  a function of your own, and a stream to send to
  npm start -- --keep                                         serves on: mappings, metrics, Lambda's API
  npm run -s millrace -- load -f examples/load/steady.yaml    a load test that checks order and loss`;

const options = { keep: { type: "boolean" }, fresh: { type: "boolean" } } as const;
const { keep = false, fresh = false } = parseArgs({ options }).values;

if (fresh) rmSync(FOLDER, { recursive: true, force: true });
fillSourceFileOnce(SOURCE_FILE);
const stream = await readStream(SOURCE_FILE);
const sent = listArrivals();
const invocationsBefore = readSeen(SEEN_FILE).length;
const batchesBefore = readSeenBatches(SEEN_ARRIVALS_FILE).length;

say(
  `${here(SOURCE_FILE)} holds ${formatNumber(stream.length)} flights in a stream of ${STREAM_SHARDS} shards, and was sent ` +
    `${formatNumber(sent.length)} arrivals to a FIFO queue.`,
);
say(`Running ${here(MANIFEST)}:`);
say(`  stream: ten lanes a shard, batches of 10, bisect, failures to ${here(FAILED_FILE)}`);
say(
  `  queue:  batches of 10, three at once, partial responses, a dead-letter queue after ${RECEIVE_COUNT_MAX} receives\n`,
);
let status = await main([...RUN, "--api", "127.0.0.1:0", "--until-caught-up"]);

if (status === 0) {
  const failed = readFailedEventIds(FAILED_FILE);
  const summaries = [
    summariseStream(stream, readSeen(SEEN_FILE), failed, invocationsBefore),
    summariseQueue({
      sent,
      seen: readSeenBatches(SEEN_ARRIVALS_FILE),
      deadLetters: readDeadLetters(SOURCE_FILE),
      waiting: readWaiting(SOURCE_FILE),
      batchesBefore,
    }),
  ];
  say(`\n${formatSummaries(summaries)}`);
  status = summaries.every(({ isRight }) => isRight) ? 0 : 1;
}
if (status === 0 && !keep) say(NEXT);
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
