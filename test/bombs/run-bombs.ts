import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { allocatorEnvironment } from "../../src/system/allocator.ts";
import { awsEnvironment } from "../servers/aws-environment.ts";
import { type BombFunctions, HOSTILE_ANSWERS, startBombFunctions } from "./bomb-functions.ts";
import { bombManifest, FRAME_MAPPINGS, GIVEN_UP_FILE, STREAM_FILE } from "./bomb-manifest.ts";
import { type BombReport, type Ending, stepsOf } from "./bomb-report.ts";
import {
  type BombBroker,
  CALM,
  type FanOut,
  killed,
  makeLocalStreams,
  startBombBroker,
  startFanOut,
} from "./bomb-sources.ts";

export interface BombOptions {
  readonly emptyRecords: number;
  /** Holds the engine's event loop for 300 ms on purpose, to show that it is seen. */
  readonly plantsStep?: boolean;
  readonly onProgress?: (line: string) => void;
}

const HEAP_FLAG = "--max-old-space-size=512";
const FEED_MS = 20;
const LOOK_MS = 200;
const WAIT_MS_MAX = 600_000;
/** Behind the last ending, so that the probe's last second is counted. */
const AFTERWARDS_MS = 3_000;
const BIN = join(import.meta.dirname, "../../src/bin.ts");

/** One process with a heap of 512 MB, all bombs at once. */
export async function runBombs(options: BombOptions): Promise<BombReport> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "millrace-bombs-"));
  stack.defer(() => rmSync(folder, { recursive: true }));
  const scene = new Scene(folder, options);
  await scene.start(stack);
  await scene.allEnded();
  const report = await scene.report();
  return { ...report, witness: await scene.end() };
}

interface Given {
  firstMs: number;
  lastMs: number;
  count: number;
}

class Scene {
  readonly #folder: string;
  readonly #options: BombOptions;
  readonly #given = new Map<string, Given>();
  /** When records of the calm stream came into being, and were delivered. */
  readonly #calm: { readonly bornMs: number; readonly deliveredMs: number }[] = [];
  readonly #refusedMs = new Map<string, number>();
  readonly #givenUpMs = new Map<string, number>();
  #givenUpBytes = 0;
  #broker: BombBroker | undefined;
  #fanOut: FanOut | undefined;
  #engine: ChildProcess | undefined;
  #asker: ChildProcess | undefined;
  #api = "";
  #startedMs = 0;
  #stderr = "";

  constructor(folder: string, options: BombOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  async start(stack: AsyncDisposableStack): Promise<void> {
    const broker = await startBombBroker(stack, this.#options.emptyRecords);
    const fanOut = await startFanOut(stack);
    const functions: BombFunctions = await startBombFunctions((mapping, name) => this.#got(mapping, name));
    stack.defer(() => functions.close());
    const feed = makeLocalStreams(stack, join(this.#folder, STREAM_FILE));
    const { consumerArn } = fanOut;
    const manifest = bombManifest({ functionUrl: functions.url, broker, consumerArn });
    writeFileSync(join(this.#folder, "m.yaml"), manifest);
    [this.#broker, this.#fanOut] = [broker, fanOut];
    const feeding = setInterval(feed, FEED_MS);
    stack.defer(() => clearInterval(feeding));
    await this.#startEngine(stack, fanOut.environment);
    this.#startAsker(stack);
  }

  async allEnded(): Promise<void> {
    const endMs = performance.now() + WAIT_MS_MAX;
    const ended = new Set<string>();
    for (;;) {
      await this.#lookForRefusals();
      for (const { bomb, how } of this.#endings()) {
        if (!ended.has(bomb)) this.#options.onProgress?.(`${how}: ${bomb}`);
        ended.add(bomb);
      }
      if (ended.size === this.#bombs().length) break;
      if (performance.now() > endMs || this.#engine?.exitCode !== null) {
        const open = this.#bombs().filter((bomb) => !ended.has(bomb));
        throw new Error(`bombs that did not end: ${open.join("; ")}\n${this.#stderr.slice(-4_000)}`);
      }
      await sleep(LOOK_MS);
    }
    await sleep(AFTERWARDS_MS);
  }

  async report(): Promise<Omit<BombReport, "witness">> {
    const metrics = await (await fetch(`${this.#api}/metrics`)).text();
    const status = readFileSync(`/proc/${this.#engine?.pid}/status`, "utf8");
    const asker = this.#asker;
    if (asker?.stdout === null || asker === undefined) throw new Error("nobody asked");
    const answered = once(asker.stdout, "data");
    asker.stdin?.end();
    const [line] = await answered;
    return {
      endings: this.#endings(),
      rssMax: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1_024,
      steps: stepsOf(metrics),
      asker: JSON.parse(String(line)),
      calmLatestMs: Math.max(...this.#calm.map(({ bornMs, deliveredMs }) => deliveredMs - bornMs)),
    };
  }

  /** As an operator ends it: it has nothing left to do. Gives what stood by in the process has seen. */
  async end(): Promise<BombReport["witness"]> {
    const engine = this.#engine;
    if (engine === undefined) throw new Error("nothing runs");
    const exit = once(engine, "exit");
    engine.kill("SIGTERM");
    const [status] = await exit;
    if (status !== 0)
      throw new Error(`the process ended with status ${status}: ${this.#stderr.slice(-4_000)}`);
    return JSON.parse(readFileSync(this.#witnessPath, "utf8"));
  }

  get #witnessPath(): string {
    return join(this.#folder, "witness.json");
  }

  async #startEngine(stack: AsyncDisposableStack, environment: Readonly<Record<string, string>>) {
    const preloads = ["step-witness.ts", ...(this.#options.plantsStep ? ["hold-loop.ts"] : [])];
    const flags = preloads.flatMap((name) => ["--import", join(import.meta.dirname, name)]);
    const args = ["run", "-f", "m.yaml", "--api", "127.0.0.1:0", "--store", "sqlite:progress.db"];
    const engine = spawn(process.execPath, [HEAP_FLAG, ...flags, BIN, ...args], {
      cwd: this.#folder,
      env: {
        // As the image and each process of a group have it.
        ...allocatorEnvironment(process.env),
        ...process.env,
        ...awsEnvironment(environment),
        MILLRACE_STEP_WITNESS: this.#witnessPath,
      },
      stdio: ["ignore", "ignore", "pipe"],
    });
    stack.defer(() => killed(engine));
    this.#startedMs = Date.now();
    this.#engine = engine;
    const address = Promise.withResolvers<string>();
    engine.on("exit", () => address.reject(new Error(`the engine's process ended: ${this.#stderr}`)));
    engine.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
      const found = /"address":"(http:[^"]+)".*"message":"started"/.exec(this.#stderr)?.[1];
      if (found !== undefined) address.resolve(found);
    });
    this.#api = await address.promise;
    engine.kill("SIGUSR2");
  }

  #startAsker(stack: AsyncDisposableStack): void {
    const script = join(import.meta.dirname, "health-asker.ts");
    const asker = spawn(process.execPath, [script, this.#api], { stdio: ["pipe", "pipe", "inherit"] });
    stack.defer(() => killed(asker));
    this.#asker = asker;
  }

  #got(mapping: string, name: string): void {
    const nowMs = Date.now();
    if (mapping === CALM) {
      this.#calm.push({ bornMs: Number(name), deliveredMs: nowMs });
      return;
    }
    // Of the many records of a bomb only the first and the last ones matter.
    const [partition, offset] = mapping === "bombs" ? name.split("/") : [];
    const place =
      offset === undefined || offset === "0" ? `${mapping}/${name}` : `${mapping}/${partition}/rest`;
    const given = this.#given.get(place);
    if (given === undefined) this.#given.set(place, { firstMs: nowMs, lastMs: nowMs, count: 1 });
    else {
      given.lastMs = nowMs;
      given.count++;
    }
  }

  #bombs(): readonly string[] {
    return [
      ...(this.#broker?.names ?? []),
      ...FRAME_MAPPINGS,
      ...(this.#fanOut?.bombs ?? []).map(({ name }) => name),
      ...HOSTILE_ANSWERS,
    ];
  }

  /** In the order of `#bombs`, without those that are not over. */
  #endings(): readonly Ending[] {
    const givenUp = this.#givenUp();
    const topic = (this.#broker?.names ?? []).map((bomb, partition) => {
      const rest = this.#given.get(`bombs/${partition}/rest`);
      const isOver = (rest?.count ?? 0) > 0 && this.#isBehindSeen(partition, rest?.count ?? 0, givenUp);
      const before = this.#given.get(`bombs/${partition}/0`)?.firstMs;
      const gone = givenUp.get(`bombs-${partition}`);
      return isOver ? this.#ending(bomb, before, gone, rest?.lastMs) : undefined;
    });
    const frames = FRAME_MAPPINGS.map((bomb) => {
      const atMs = this.#refusedMs.get(bomb);
      if (atMs === undefined) return undefined;
      return { ...this.#ending(bomb, this.#startedMs, undefined, atMs), how: "refused" as const };
    });
    const fanOut = (this.#fanOut?.bombs ?? []).map(({ name, delivered }, index) => {
      const given = this.#given.get(`fan-out/${name}`);
      const isOver = given?.count === delivered && this.#given.has(`fan-out/behind-${index}`);
      const before = this.#given.get(`fan-out/before-${index}`)?.firstMs;
      return isOver ? this.#ending(name, before, undefined, given.lastMs) : undefined;
    });
    const hostile = HOSTILE_ANSWERS.map((bomb, index) => {
      const behind = this.#given.get(`hostile-${index}/behind`);
      const before = this.#given.get(`hostile-${index}/before`)?.firstMs;
      if (behind === undefined) return undefined;
      return this.#ending(bomb, before, givenUp.get(`stream/hostile-${index}`), behind.firstMs);
    });
    return [...topic, ...frames, ...fanOut, ...hostile].filter((ending) => ending !== undefined);
  }

  /** The last record of a partition counts to the rest: a bomb that is delivered is over when all of it is. */
  #isBehindSeen(partition: number, rest: number, givenUp: ReadonlyMap<string, number>): boolean {
    if (givenUp.has(`bombs-${partition}`)) return true;
    return rest === this.#broker?.last[partition];
  }

  #ending(
    bomb: string,
    beforeMs: number | undefined,
    givenUpMs: number | undefined,
    deliveredMs = Number.POSITIVE_INFINITY,
  ): Ending {
    const endMs = givenUpMs ?? deliveredMs;
    const beginMs = beforeMs ?? endMs;
    const meanwhile = this.#calm.filter(({ bornMs, deliveredMs: at }) => bornMs >= beginMs && at <= endMs);
    return {
      bomb,
      how: givenUpMs === undefined ? "delivered" : "given up",
      atMs: endMs - this.#startedMs,
      isNeighbourFirst: beforeMs !== undefined && beforeMs <= endMs,
      calmMeanwhile: meanwhile.length,
      tookMs: endMs - beginMs,
    };
  }

  /** Shards, or streams, of what was given up, and when. */
  #givenUp(): ReadonlyMap<string, number> {
    const path = join(this.#folder, GIVEN_UP_FILE);
    if (!existsSync(path) || statSync(path).size === this.#givenUpBytes) return this.#givenUpMs;
    // Documents of some megabytes: looked at when there are more.
    const text = readFileSync(path);
    this.#givenUpBytes = text.length;
    for (const line of text.toString().split("\n").slice(0, -1)) {
      const { timestamp, KafkaBatchInfo, KinesisBatchInfo } = JSON.parse(line);
      const partitions = Object.keys(KafkaBatchInfo?.recordsInfo ?? {});
      const stream = String(KinesisBatchInfo?.streamArn).split(":").at(-1) ?? "";
      for (const place of KafkaBatchInfo === undefined ? [stream] : partitions) {
        this.#givenUpMs.set(place, Date.parse(timestamp));
      }
    }
    return this.#givenUpMs;
  }

  async #lookForRefusals(): Promise<void> {
    const { mappings } = JSON.parse(await (await fetch(`${this.#api}/millrace/v1/status`)).text());
    for (const { name, problem = "", lastProcessingResult = "" } of mappings) {
      if (this.#refusedMs.has(name) || !FRAME_MAPPINGS.includes(name)) continue;
      if (/announced an answer of \d+ bytes/.test(`${problem} ${lastProcessingResult}`)) {
        this.#refusedMs.set(name, Date.now());
      }
    }
  }
}
