import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { endsWithUs } from "../servers/ends-with-us.ts";
import { throughPort } from "../servers/postgres.ts";
import type { Disturbance, Watch } from "./evidence.ts";
import { StoreProxy } from "./store-proxy.ts";
import { WITNESS_URL } from "./witness-target.ts";

const MAIN = fileURLToPath(new URL("../../src/bin.ts", import.meta.url));
const WITNESS_TARGET = fileURLToPath(new URL("./witness-target.ts", import.meta.url));
const SKEWED_CLOCK = new URL("./skewed-clock.ts", import.meta.url).href;
/**
 * Wall clocks may be wrong by so much either way; monotonic ones run so much faster or slower, far within a lease's
 * margin.
 */
const SKEW_MS_MAX = 600_000;
export const DRIFT_MAX = 0.02;
const OUTPUT_CHARS_MAX = 20_000;
const STATE_POLLS_MAX = 10_000;

export interface FleetOptions {
  readonly folder: string;
  /** The URL of a PostgreSQL database on loopback. */
  readonly store: string;
  readonly random: () => number;
  readonly uuid: string;
  readonly functionTimeoutSeconds: number;
  readonly parallelizationFactor: number;
  /** Where a process calls, by its life and by how much its wall clock is wrong. */
  readonly urlOf: (life: number, skewMs: number) => string;
}

interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

interface Life {
  readonly life: number;
  readonly child: ChildProcess;
  readonly proxy: StoreProxy;
  readonly ended: Promise<Ended>;
  /** Since when it runs undisturbed; `undefined` while it starts, is paused or ends. */
  watchingSinceMs: number | undefined;
  /** Disturbed at the moment. */
  isGone: boolean;
  isEnding: boolean;
  output: string;
}

/**
 * Processes of `millrace run` on one stream, one store and one manifest. What it declares are rows that all share: a
 * target of the chaos run's own calls a URL of each process, so that they can be told from each other.
 */
export class Fleet {
  readonly disturbances: Disturbance[] = [];
  /** What ended otherwise than it should have. */
  readonly accidents: string[] = [];
  readonly #options: FleetOptions;
  readonly #lives = new Map<number, Life>();
  readonly #watches: Watch[] = [];
  readonly #pids = new Map<number, number>();
  #lastLife = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** Those that run undisturbed. */
  get ready(): readonly number[] {
    return [...this.#lives.values()]
      .filter((life) => life.watchingSinceMs !== undefined)
      .map(({ life }) => life);
  }

  get size(): number {
    return this.#lives.size;
  }

  watches(): readonly Watch[] {
    const open = [...this.#lives.values()].flatMap(({ life, watchingSinceMs: fromMs }) =>
      fromMs === undefined ? [] : [{ life, fromMs, toMs: Date.now() }],
    );
    return [...this.#watches, ...open];
  }

  /** The process of this owner of leases, whose name holds its pid. */
  lifeOf(owner: string): number {
    const pid = [...this.#pids.keys()].find((known) => owner.includes(`-${known}-`));
    return pid === undefined ? Number.NaN : (this.#pids.get(pid) ?? Number.NaN);
  }

  async start(): Promise<void> {
    const life = ++this.#lastLife;
    const { folder, store, random } = this.#options;
    const skewMs = Math.round((2 * random() - 1) * SKEW_MS_MAX);
    const rate = 1 + (2 * random() - 1) * DRIFT_MAX;
    const proxy = await StoreProxy.start(Number(new URL(store).port));
    const manifest = join(folder, "chaos.yaml");
    writeFileSync(manifest, this.#manifest());
    const words = ["run", "-f", manifest, "--api", "off", "--store", throughPort(store, proxy.port)];
    const child = spawn(process.execPath, ["--import", SKEWED_CLOCK, MAIN, ...words], {
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
      env: {
        ...process.env,
        MILLRACE_CHAOS_SKEW_MS: String(skewMs),
        MILLRACE_CHAOS_RATE: String(rate),
        MILLRACE_CONNECTORS: WITNESS_TARGET,
        [WITNESS_URL]: this.#options.urlOf(life, skewMs),
        // Hundreds of starts would otherwise compile the same sources as often.
        NODE_COMPILE_CACHE: join(folder, "compiled"),
      },
    });
    endsWithUs(child);
    this.#pids.set(child.pid ?? 0, life);
    const ended = new Promise<Ended>((resolve) =>
      child.on("close", (status, signal) => resolve({ status, signal })),
    );
    const entry: Life = {
      life,
      child,
      proxy,
      ended,
      watchingSinceMs: undefined,
      isGone: false,
      isEnding: false,
      output: "",
    };
    this.#lives.set(life, entry);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      entry.output = (entry.output + text).slice(-OUTPUT_CHARS_MAX);
      if (!entry.isGone && entry.watchingSinceMs === undefined && text.includes('"message":"started"'))
        entry.watchingSinceMs = Date.now();
    });
    void ended.then((result) => {
      this.#lives.delete(life);
      proxy.close();
      if (!entry.isEnding) this.#accident(entry, "ended by itself", result);
      this.#endWatch(entry);
    });
  }

  /** SIGKILL; resolves when it is dead. */
  async kill(life: number): Promise<Disturbance> {
    const entry = this.#take(life);
    entry.isEnding = true;
    entry.child.kill("SIGKILL");
    const disturbance = this.#note({ kind: "kill", life, atMs: Date.now() });
    await entry.ended;
    return disturbance;
  }

  /** SIGTERM; resolves when it has drained and ended. */
  async stop(life: number): Promise<Disturbance> {
    const entry = this.#take(life);
    entry.isEnding = true;
    const disturbance = this.#note({ kind: "stop", life, atMs: Date.now() });
    entry.child.kill("SIGTERM");
    const result = await entry.ended;
    if (result.status !== 0) this.#accident(entry, "did not stop well", result);
    return disturbance;
  }

  /** SIGSTOP; `goOn` is the SIGCONT. */
  pause(life: number): { readonly disturbance: Disturbance; goOn(): void } {
    const entry = this.#take(life);
    entry.child.kill("SIGSTOP");
    waitUntilStopped(entry.child.pid ?? 0);
    const disturbance: Disturbance & { untilMs?: number } = { kind: "pause", life, atMs: Date.now() };
    this.#note(disturbance);
    const goOn = () => {
      this.#goesOn(entry, disturbance);
      entry.child.kill("SIGCONT");
    };
    return { disturbance, goOn };
  }

  /** Its store answers no more until `goOn`. */
  cut(life: number): { readonly disturbance: Disturbance; goOn(): void } {
    const entry = this.#take(life);
    entry.proxy.hang();
    const disturbance: Disturbance & { untilMs?: number } = { kind: "cut", life, atMs: Date.now() };
    this.#note(disturbance);
    const goOn = () => {
      this.#goesOn(entry, disturbance);
      entry.proxy.goOn();
    };
    return { disturbance, goOn };
  }

  /** For a run that is given up: no process is left behind. */
  async killAll(): Promise<void> {
    for (const entry of this.#lives.values()) {
      entry.isEnding = true;
      entry.child.kill("SIGKILL");
    }
    await Promise.all([...this.#lives.values()].map(({ ended }) => ended));
  }

  #take(life: number): Life {
    const entry = this.#lives.get(life);
    if (entry === undefined) throw new Error(`there is no process ${life}`);
    entry.isGone = true;
    this.#endWatch(entry);
    return entry;
  }

  #endWatch(entry: Life): void {
    const { life, watchingSinceMs: fromMs } = entry;
    if (fromMs !== undefined) this.#watches.push({ life, fromMs, toMs: Date.now() });
    entry.watchingSinceMs = undefined;
  }

  #goesOn(entry: Life, disturbance: { untilMs?: number }): void {
    disturbance.untilMs = Date.now();
    entry.isGone = false;
    entry.watchingSinceMs = Date.now();
  }

  #note(disturbance: Disturbance): Disturbance {
    this.disturbances.push(disturbance);
    return disturbance;
  }

  #accident({ life, output }: Life, what: string, { status, signal }: Ended): void {
    this.accidents.push(
      `process ${life} ${what}: status ${status}, signal ${signal}: ${output.slice(-1_000)}`,
    );
  }

  #manifest(): string {
    const { uuid, functionTimeoutSeconds, parallelizationFactor } = this.#options;
    return `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: witness }
spec: { custom: { kind: chaos-witness, settings: {} }, timeoutSeconds: ${functionTimeoutSeconds} }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: chaos }
spec:
  uuid: ${uuid}
  functionName: witness
  eventSourceArn: arn:aws:local:eu-west-1:000000000000:stream/chaos
  startingPosition: TRIM_HORIZON
  batchSize: 100
  parallelizationFactor: ${parallelizationFactor}
  bisectBatchOnFunctionError: true
  endpoints: { LOCAL_FILE: [chaos.db] }
`;
  }
}

/** The signal takes effect a moment after it was sent, in which a process on another core still runs. */
function waitUntilStopped(pid: number): void {
  for (let poll = 0; poll < STATE_POLLS_MAX; poll++) {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    if (stat.slice(stat.lastIndexOf(")") + 2).startsWith("T")) return;
  }
  throw new Error(`process ${pid} does not stop`);
}
