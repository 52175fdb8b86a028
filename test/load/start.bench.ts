/**
 * What one process with one idle mapping holds in memory, and how long it takes from its start to its first invocation,
 * against a bare Node that serves HTTP. What is measured is `dist/`, if `npm run build` has made it, else the sources.
 * Run alone with `node test/load/start.bench.ts`.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Measurement, median, printWhenRunAlone, rowOf } from "./measurement.ts";

export const name = "Start, and one idle mapping";

const ROUNDS = 5;
/** Until the start is over and forgotten. */
const IDLE_MS = 8_000;
const INVOKED_MS_MAX = 60_000;
const MEMORY_GOAL_MIB = 80;
const START_GOAL_SECONDS = 0.35;
const STREAM_ARN = "arn:aws:local:us-east-1:000000000000:stream/bench";
const ROOT = join(import.meta.dirname, "../..");
const BUILT = join(ROOT, "dist/src/bin.js");
const BIN = existsSync(BUILT) ? BUILT : join(ROOT, "src/bin.ts");
/** A server that answers nobody. */
const BARE = 'require("node:http").createServer().listen(0, "127.0.0.1")';

interface Start {
  readonly seconds: number;
  readonly rssMib: number;
}

export async function run(): Promise<readonly Measurement[]> {
  const starts: Start[] = [];
  const bareMib: number[] = [];
  // The first one fills the caches.
  for (let round = 0; round <= ROUNDS; round++) {
    const start = await startOnce();
    const bare = await bareRss();
    if (round === 0) continue;
    starts.push(start);
    bareMib.push(bare);
  }
  const rssMib = median(starts.map((start) => start.rssMib));
  const seconds = median(starts.map((start) => start.seconds));
  const memory = { work: "one idle mapping, resident memory", limit: median(bareMib) };
  return [
    rowOf(memory, rssMib, "MiB", MEMORY_GOAL_MIB),
    rowOf({ work: "start to first invocation" }, seconds, "s", START_GOAL_SECONDS),
  ];
}

/** A stream of one record, which waits for the process. */
async function startOnce(): Promise<Start> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-start-"));
  const { promise: invoked, resolve } = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    request.resume().on("end", () => response.end("{}"));
    resolve();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", () => done()));
  const { port } = server.address() as AddressInfo;
  const manifest = join(folder, "bench.yaml");
  const source = join(folder, "source.db");
  writeFileSync(manifest, manifestOf(`http://127.0.0.1:${port}/`, source));
  millrace(folder, ["streams", "create", "bench", "--file", source]);
  millrace(folder, ["streams", "put", "bench", "--file", source, "hello"]);
  const startedMs = performance.now();
  const args = [BIN, "run", "-f", manifest, "--api", "127.0.0.1:0", "--store", "memory:"];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: "ignore" });
  try {
    await Promise.race([invoked, neverInvoked()]);
    const seconds = (performance.now() - startedMs) / 1_000;
    await sleep(IDLE_MS);
    return { seconds, rssMib: rssOf(child) };
  } finally {
    await endOf(child);
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function neverInvoked(): Promise<never> {
  await sleep(INVOKED_MS_MAX, undefined, { ref: false });
  throw new Error(`nothing was invoked in ${INVOKED_MS_MAX / 1_000} s`);
}

function manifestOf(url: string, source: string): string {
  return `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: bench }
spec: { http: { url: "${url}" }, timeoutSeconds: 30 }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: bench }
spec:
  functionName: bench
  eventSourceArn: ${STREAM_ARN}
  endpoints: { LOCAL_FILE: [${JSON.stringify(source)}] }
  startingPosition: TRIM_HORIZON
`;
}

function millrace(folder: string, words: readonly string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [BIN, ...words], { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(`millrace ${words.join(" ")} ended with status ${status}: ${stderr}`);
}

async function bareRss(): Promise<number> {
  const child = spawn(process.execPath, ["-e", BARE], { stdio: "ignore" });
  await sleep(1_000);
  const mib = rssOf(child);
  await endOf(child);
  return mib;
}

function rssOf({ pid }: ChildProcess): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) / 1_024;
}

function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}

await printWhenRunAlone(import.meta.url, run);
