import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { request } from "undici";
import { Failing, firstOf, type Interruption } from "../lib/first-of.ts";
import { MillraceError } from "../model/errors.ts";
import type { ProbeAnswer, ProbeRequest } from "./engine-probe.ts";

export interface EngineProcessOptions {
  /** The words of `millrace run`, without the words `run` and `--api`. */
  readonly args: readonly string[];
  readonly folder: string;
  /** Gets everything that the engine prints, over all its starts. */
  readonly logFile: string;
  /** Called when the process ends without being told to. */
  readonly onUnexpectedEnd: (reason: string) => void;
}

const SUFFIX = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
const BIN = fileURLToPath(new URL(`../bin${SUFFIX}`, import.meta.url));
const PROBE = new URL(`./engine-probe${SUFFIX}`, import.meta.url).href;
/** On a busy machine a process may take long to load. */
const START_MS_MAX = 300_000;
const STOP_MS_MAX = 40_000;
const PROBE_MS_MAX = 10_000;
const READY_POLL_MS = 50;
const TAIL_CHARS = 4_000;

/** `millrace run` as a process of its own, that can be killed, stopped for a while, and started again. */
export class EngineProcess {
  readonly #options: EngineProcessOptions;
  readonly #log: WriteStream;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #address = Promise.withResolvers<string>();
  #served: string | undefined;
  #tail = "";
  #expectsEnd = false;
  #probes = 0;
  readonly #waiting = new Map<number, (answer: ProbeAnswer | undefined) => void>();

  constructor(options: EngineProcessOptions) {
    this.#options = options;
    this.#log = createWriteStream(options.logFile, { flags: "a" });
  }

  /** Where its API and its page are; another one after each start. `undefined`: it has not said so. */
  address(): string | undefined {
    return this.#served;
  }

  /**
   * Resolves when all mappings are enabled.
   * @throws MillraceError ERR_MILLRACE_FUNCTION with the end of the engine's log, when it does not come up.
   */
  async start(): Promise<void> {
    this.#address = Promise.withResolvers<string>();
    this.#address.promise.catch(() => undefined);
    this.#expectsEnd = false;
    this.#tail = "";
    const { args, folder } = this.#options;
    const words = ["--expose-gc", "--import", PROBE, BIN, "run", ...args, "--api", "127.0.0.1:0"];
    const child = spawn(process.execPath, words, { cwd: folder, stdio: ["ignore", "pipe", "pipe", "ipc"] });
    this.#child = child;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#log.write(text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => this.#readLog(text));
    child.on("message", (answer: ProbeAnswer) => this.#waiting.get(answer.id)?.(answer));
    child.on("error", () => undefined);
    this.#ended = new Promise((resolve) => {
      child.on("close", (status, signal) => {
        this.#address.reject(new Error("ended"));
        this.#served = undefined;
        for (const resolveProbe of this.#waiting.values()) resolveProbe(undefined);
        resolve();
        if (!this.#expectsEnd) this.#options.onUnexpectedEnd(`by ${signal ?? `status ${status}`}`);
      });
    });
    await this.#untilReady();
  }

  /** At once and without warning, as a power cut would. */
  async kill(): Promise<void> {
    this.#expectsEnd = true;
    this.#child?.kill("SIGKILL");
    await this.#ended;
  }

  /** The process gets no time until `resume`. */
  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  /** Lets what runs end. Resolves to the exit status; `undefined`: it had to be killed. */
  async stop(): Promise<number | undefined> {
    this.#expectsEnd = true;
    const child = this.#child;
    child?.kill("SIGTERM");
    const late: Interruption<"late"> = ({ resolve }) => {
      const timer = setTimeout(() => resolve("late"), STOP_MS_MAX);
      return () => clearTimeout(timer);
    };
    if ((await firstOf(this.#ended, late)) === "late") {
      await this.kill();
      return undefined;
    }
    return child?.exitCode ?? undefined;
  }

  /** `undefined` while there is no process, or it does not answer. */
  async probe(collect: boolean): Promise<ProbeAnswer | undefined> {
    const child = this.#child;
    if (child === undefined || !child.connected) return undefined;
    this.#probes += 1;
    const message: ProbeRequest = { id: this.#probes, collect };
    const answer = Promise.withResolvers<ProbeAnswer | undefined>();
    this.#waiting.set(message.id, answer.resolve);
    const timer = setTimeout(() => answer.resolve(undefined), PROBE_MS_MAX);
    child.send(message, (error) => {
      if (error !== null) answer.resolve(undefined);
    });
    try {
      return await answer.promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(message.id);
    }
  }

  /** Kills what still runs. */
  async close(): Promise<void> {
    await this.kill();
    await new Promise<void>((resolve) => this.#log.end(resolve));
  }

  #readLog(text: string): void {
    this.#log.write(text);
    this.#tail = (this.#tail + text).slice(-TAIL_CHARS);
    for (const line of this.#tail.split("\n")) {
      if (!line.includes('"started"')) continue;
      const address = /"address":"([^"]+)"/.exec(line)?.[1];
      if (address === undefined) continue;
      this.#served = address;
      this.#address.resolve(address);
    }
  }

  async #untilReady(): Promise<void> {
    const over = new Failing();
    const isLate = () => over.fail(this.#notReady(`was not ready within ${START_MS_MAX / 1000} s`));
    const timer = setTimeout(isLate, START_MS_MAX);
    void this.#ended.then(() => over.fail(this.#notReady("ended")));
    try {
      while (!(await firstOf(this.#isReady(), over.whenFailed))) await sleep(READY_POLL_MS);
    } finally {
      clearTimeout(timer);
    }
  }

  #notReady(what: string): MillraceError {
    const text = `The engine ${what}. The end of its log:\n${this.#tail.trimEnd()}`;
    return new MillraceError("ERR_MILLRACE_FUNCTION", text);
  }

  async #isReady(): Promise<boolean> {
    try {
      const url = await this.#address.promise;
      const { statusCode, body } = await request(`${url}/readyz`);
      await body.dump();
      return statusCode === 200;
    } catch {
      return false;
    }
  }
}
