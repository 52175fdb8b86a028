import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { endsWithUs } from "../../servers/ends-with-us.ts";
import { StoreProxy } from "../store-proxy.ts";

const MAIN = fileURLToPath(new URL("../../../src/bin.ts", import.meta.url));
const STARTED = /"address":"(http:[^"]+)".*"message":"started"/;
const STDERR_CHARS_MAX = 20_000;

export interface Member {
  readonly child: ChildProcess;
  readonly proxy: StoreProxy | undefined;
  /** `undefined` until it has started. */
  api: string | undefined;
  stderr: string;
}

/** `millrace` processes with one store, which events are handed to. */
export class EventFleet {
  readonly #folder = mkdtempSync(join(tmpdir(), "millrace-event-chaos-"));
  readonly #storeOf: (port: number | undefined) => string;
  readonly #serverPort: number | undefined;
  members: Member[] = [];
  /** Of the process that ended last. */
  lastWords = "";

  /** `serverPort`: of a store that each reaches by a proxy of its own. */
  constructor(
    witnessUrl: string,
    serverPort: number | undefined,
    storeOf: (port: number | undefined) => string,
  ) {
    this.#storeOf = storeOf;
    this.#serverPort = serverPort;
    writeFileSync(join(this.#folder, "function.yaml"), manifestOf(witnessUrl));
  }

  get folder(): string {
    return this.#folder;
  }

  get apis(): readonly string[] {
    return this.members.flatMap(({ api }) => api ?? []);
  }

  async start(): Promise<Member> {
    const proxy = this.#serverPort === undefined ? undefined : await StoreProxy.start(this.#serverPort);
    const words = [
      "run",
      "-f",
      "function.yaml",
      "--api",
      "127.0.0.1:0",
      "--store",
      this.#storeOf(proxy?.port),
    ];
    const child = spawn(process.execPath, [MAIN, ...words], { cwd: this.#folder, env: process.env });
    endsWithUs(child);
    const member: Member = { child, proxy, api: undefined, stderr: "" };
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      member.stderr = (member.stderr + text).slice(-STDERR_CHARS_MAX);
      member.api ??= STARTED.exec(member.stderr)?.[1];
    });
    child.stdout.resume();
    child.on("exit", () => {
      this.lastWords = member.stderr;
      this.members = this.members.filter((each) => each !== member);
      proxy?.close();
    });
    this.members.push(member);
    return member;
  }

  async killAll(): Promise<void> {
    await Promise.all(this.members.map((member) => this.kill(member)));
  }

  async kill({ child }: Member): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  async close(): Promise<void> {
    await this.killAll();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function manifestOf(url: string): string {
  return `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: orders }
spec:
  http: { url: "${url}/call" }
  timeoutSeconds: 5
  eventInvokeConfig:
    maximumRetryAttempts: 0
    destinationConfig:
      onSuccess: { destination: "${url}/record" }
      onFailure: { destination: "${url}/record" }
`;
}
