import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { openStreamFile } from "../../../connectors/local/stream-file.ts";

const MAIN = fileURLToPath(new URL("../../../src/bin.ts", import.meta.url));
/** Compiled once for all tests: a process starts in half of the time, which is most of what short tests take. */
const COMPILED = join(tmpdir(), "millrace-compiled");
/** Stops a test that hangs, also on a machine that is very busy. */
const WAIT_MS_MAX = 120_000;

export interface ProcessOptions {
  readonly nodeFlags?: readonly string[];
  readonly main?: string;
  /** Beside this process's own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A `millrace` of its own process, killed at the end of its test. */
export class MillraceProcess {
  readonly #child: ChildProcess;
  /** With all that it wrote read. */
  readonly ended: Promise<{ status: number | null; signal: NodeJS.Signals | null }>;
  readonly exited: Promise<{ status: number | null; signal: NodeJS.Signals | null }>;
  stdout = "";
  stderr = "";

  constructor(
    t: TestContext,
    args: readonly string[],
    folder: string,
    { nodeFlags = [], main = MAIN, env = {} }: ProcessOptions = {},
  ) {
    const child = spawn(process.execPath, [...nodeFlags, main, ...args], {
      cwd: folder,
      env: { NODE_COMPILE_CACHE: COMPILED, ...process.env, ...env },
    });
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) => child.on("close", (status, signal) => resolve({ status, signal })));
    this.exited = new Promise((resolve) => child.on("exit", (status, signal) => resolve({ status, signal })));
    this.#child = child;
    t.after(async () => {
      child.kill("SIGKILL");
      child.stderr.resume();
      await this.ended;
    });
  }

  /** Reads nothing more of what it writes, until `readOn`. */
  standStill(): void {
    this.#child.stderr?.pause();
  }

  readOn(): void {
    this.#child.stderr?.resume();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Log lines, each of which must be JSON. */
  logs(): { level: string; message: string; [field: string]: unknown }[] {
    return this.stderr
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  }

  async logged(message: string): Promise<{ [field: string]: unknown }> {
    const find = () => this.logs().find((line) => line.message === message);
    await until(
      () => find() !== undefined,
      () => `no log line ${message} in: ${this.stderr}`,
    );
    return find() ?? {};
  }

  async printed(text: RegExp): Promise<void> {
    await until(
      () => text.test(this.stderr),
      () => `${text} was not printed: ${this.stderr}`,
    );
  }

  /** The same, among lines that functions print. */
  async apiUrlOf(): Promise<string> {
    const find = () => /"address":"(http:[^"]+)".*"message":"started"/.exec(this.stderr)?.[1];
    await until(
      () => find() !== undefined,
      () => `not started: ${this.stderr.slice(0, 2000)}`,
    );
    return find() ?? "";
  }

  async apiUrl(): Promise<string> {
    return String((await this.logged("started"))["address"]);
  }
}

export async function until(
  condition: () => boolean | Promise<boolean>,
  describe: () => string,
  waitMsMax = WAIT_MS_MAX,
): Promise<void> {
  const startMs = performance.now();
  while (!(await condition())) {
    if (performance.now() - startMs > waitMsMax) throw new Error(describe());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A folder with a local stream `orders` of two shards, and a manifest over it for the function at `url`. */
export function orderFolder(
  t: TestContext,
  url: string,
  records: number,
): { folder: string; manifest: string } {
  const folder = mkdtempSync(join(tmpdir(), "millrace-cli-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = openStreamFile(join(folder, "orders.db"));
  const stream = file.createStream({ name: "orders", shards: 2 });
  stream.append(
    Array.from({ length: records }, (_, index) => ({ partitionKey: `${index}`, data: `${index}` })),
  );
  file.close();
  const manifest = join(folder, "orders.yaml");
  writeFileSync(
    manifest,
    `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: orders }
spec: { http: { url: "${url}" }, timeoutSeconds: 60 }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: orders-stream }
spec:
  functionName: orders
  eventSourceArn: arn:aws:local:eu-west-1:000000000000:stream/orders
  startingPosition: TRIM_HORIZON
  batchSize: 10
  endpoints: { LOCAL_FILE: [orders.db] }
`,
  );
  return { folder, manifest };
}

export type Answer = (event: { Records: { kinesis: { data: string } }[] }, response: ServerResponse) => void;

/** An HTTP function in this process. `seen` are the data of all records that it got, in order. */
export async function httpFunction(t: TestContext, answer: Answer): Promise<{ url: string; seen: string[] }> {
  const seen: string[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => {
      body += part;
    });
    request.on("end", () => {
      const event = JSON.parse(body);
      for (const { kinesis } of event.Records) seen.push(Buffer.from(kinesis.data, "base64").toString());
      answer(event, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, seen };
}
