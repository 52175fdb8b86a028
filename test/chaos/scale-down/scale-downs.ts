import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openStreamFile } from "../../../connectors/local/stream-file.ts";

const MAIN = fileURLToPath(new URL("../../../src/bin.ts", import.meta.url));
const PODS = 3;
/** A message that a process lets go of comes to another within this: what waits is worked on meanwhile. */
const STANDS_MS_MAX = 120_000;
/** Calls take up to this: well within the drain, and longer than a stop would take without one. */
const CALL_MS_MAX = 1_500;

export interface ScaleDownsReport {
  readonly scaleDowns: number;
  readonly sent: number;
  /** Invocations whose connection was closed before they had answered. */
  readonly interrupted: number;
  /** Messages and records that the function got more than once. */
  readonly repeated: number;
  readonly lost: number;
  /** Processes that did not end with 0. */
  readonly failed: readonly string[];
  /** Calls that ran while their process was told to stop. */
  readonly drained: number;
}

/**
 * Real processes on one store are told to go by SIGTERM, as Kubernetes does when it scales down, again and again, while
 * messages of a queue and records of a stream flow; others take their place.
 */
export async function runScaleDowns(count: number): Promise<ScaleDownsReport> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-scale-down-"));
  const fn = new SlowFunction();
  const url = await fn.listen();
  const load = new Load(folder);
  writeFileSync(join(folder, "jobs.yaml"), manifest(url));
  const pods = new Set<Pod>();
  const failed: string[] = [];
  let drained = 0;
  try {
    for (let index = 0; index < PODS; index++) pods.add(new Pod(folder));
    await Promise.all([...pods].map((pod) => pod.ready));
    load.begin();
    for (let scaleDowns = 0; scaleDowns < count; scaleDowns++) {
      const [leaving] = pods;
      if (leaving === undefined) break;
      await leaving.ready;
      // Not all of them at the same moment of their calls.
      await sleep((scaleDowns * 37) % 400);
      drained += fn.running;
      const end = await leaving.stop();
      pods.delete(leaving);
      if (end !== "0") failed.push(`pod ${scaleDowns}: ${end}`);
      pods.add(new Pod(folder));
    }
    load.end();
    await settled(fn, load);
    await Promise.all([...pods].map((pod) => pod.stop()));
    pods.clear();
    const repeated = [...fn.seen.values()].filter((times) => times > 1).length;
    const lost = load.sent - fn.seen.size;
    return {
      scaleDowns: count,
      sent: load.sent,
      interrupted: fn.interrupted,
      repeated,
      lost,
      failed,
      drained,
    };
  } finally {
    load.end();
    await Promise.all([...pods].map((pod) => pod.kill()));
    await fn.close();
    load.close();
    rmSync(folder, { recursive: true });
  }
}

/** All that was sent has come, or nothing has for so long: then what is left is lost. */
async function settled(fn: SlowFunction, load: Load): Promise<void> {
  let known = fn.seen.size;
  let movedMs = performance.now();
  while (fn.seen.size < load.sent && performance.now() - movedMs < STANDS_MS_MAX) {
    await sleep(50);
    if (fn.seen.size === known) continue;
    known = fn.seen.size;
    movedMs = performance.now();
  }
}

/** Messages and records, a few at a time, each with a text of its own. */
class Load {
  sent = 0;
  readonly #file;
  readonly #queue;
  readonly #stream;
  #timer: NodeJS.Timeout | undefined;

  constructor(folder: string) {
    this.#file = openStreamFile(join(folder, "sources.db"));
    this.#queue = this.#file.createQueue({ name: "jobs", visibilityMs: 60_000 });
    this.#stream = this.#file.createStream({ name: "orders", shards: 4 });
  }

  begin(): void {
    this.#timer = setInterval(() => this.#send(), 150);
  }

  end(): void {
    clearInterval(this.#timer);
  }

  close(): void {
    this.#file.close();
  }

  #send(): void {
    const text = String(this.sent / 2);
    this.#queue.send([{ body: `message ${text}` }]);
    this.#stream.append([{ partitionKey: text, data: `record ${text}` }]);
    this.sent += 2;
  }
}

interface GivenEvent {
  readonly Records: readonly { readonly body?: string; readonly kinesis?: { readonly data: string } }[];
}

/** Takes its time, and notes what it got and who hung up on it. */
class SlowFunction {
  readonly seen = new Map<string, number>();
  interrupted = 0;
  running = 0;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const { Records } = JSON.parse(Buffer.concat(chunks).toString()) as GivenEvent;
        for (const { body, kinesis } of Records) {
          const text = body ?? Buffer.from(kinesis?.data ?? "", "base64").toString();
          this.seen.set(text, (this.seen.get(text) ?? 0) + 1);
        }
        this.running += 1;
        const timer = setTimeout(() => response.end("{}"), 50 + ((this.seen.size * 131) % CALL_MS_MAX));
        response.on("close", () => {
          this.running -= 1;
          if (response.writableFinished) return;
          clearTimeout(timer);
          this.interrupted += 1;
        });
      });
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** A process, as a container of a pod runs it. */
class Pod {
  /** Its mappings run. */
  readonly ready: Promise<void>;
  readonly #child: ChildProcess;
  readonly #ended: Promise<string>;
  #log = "";

  constructor(folder: string) {
    const words = ["run", "-f", "jobs.yaml", "--store", "sqlite:store.db", "--api", "127.0.0.1:0"];
    this.#child = spawn(process.execPath, [MAIN, ...words, "--drain-seconds", "60"], {
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#ended = once(this.#child, "exit").then(([status, signal]) => String(status ?? signal));
    const started = new Promise<void>((resolve) => {
      this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
        this.#log = (this.#log + text).slice(-20_000);
        if (this.#log.includes('"message":"started"')) resolve();
      });
    });
    const failed = this.#ended.then((end) => {
      throw new Error(`a process ended with ${end} before it had started: ${this.#log}`);
    });
    this.ready = Promise.race([started, failed]);
    this.ready.catch(() => undefined);
    failed.catch(() => undefined);
  }

  /** Resolves to its exit status, or the signal that ended it. */
  async stop(): Promise<string> {
    this.#child.kill("SIGTERM");
    return await this.#ended;
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}

function manifest(url: string): string {
  const mapping = (name: string, source: string, more: string) => `---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: ${name} }
spec:
  functionName: jobs
  eventSourceArn: arn:aws:local:eu-west-1:000000000000:${source}
  endpoints: { LOCAL_FILE: [sources.db] }
  batchSize: 2
${more}
`;
  return `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: jobs }
spec: { http: { url: "${url}" }, timeoutSeconds: 30 }
${mapping("jobs-queue", "queue/jobs", "  scalingConfig: { maximumConcurrency: 6 }")}
${mapping("jobs-stream", "stream/orders", "  startingPosition: TRIM_HORIZON")}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const report = await runScaleDowns(Number(process.argv[2] ?? 200));
  process.stdout.write(`${JSON.stringify(report)}\n`);
  const { interrupted, repeated, lost, failed } = report;
  process.exitCode = interrupted + repeated + lost + failed.length === 0 ? 0 : 1;
}
