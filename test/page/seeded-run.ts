import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const BIN = join(import.meta.dirname, "../../src/bin.ts");
const START_MS_MAX = 60_000;

/** What a page must show as text and never run. */
export const HOSTILE = '<img src=x onerror="window.pwned=1">\u202eevil';

const FUNCTION = `
import { appendFileSync, existsSync } from "node:fs";
const place = (name) => import.meta.dirname + "/" + name;
export async function handler(event) {
  if (existsSync(place("mended"))) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (const { kinesis } of event.Records)
      appendFileSync(place("done.txt"), Buffer.from(kinesis.data, "base64") + "\\n");
    return;
  }
  for (const { kinesis } of event.Records) {
    const { id, price } = JSON.parse(Buffer.from(kinesis.data, "base64").toString());
    console.log("looking for the price of", id);
    if (price === undefined) throw new TypeError(\`no price for order \${id}\`);
  }
}
`;

/** One mapping that gives up what fails, one that tries it for ever. */
const MANIFEST = `
apiVersion: millrace.dev/v1
kind: Function
metadata: { name: orders }
spec: { module: { path: ./orders.mjs, isolation: thread } }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: orders }
spec:
  functionName: orders
  eventSourceArn: arn:aws:local:local-1:000000000000:stream/orders
  endpoints: { LOCAL_FILE: [sources.db] }
  startingPosition: TRIM_HORIZON
  maximumRetryAttempts: 0
  bisectBatchOnFunctionError: true
  destinationConfig: { onFailure: { destination: "file:failed.jsonl" } }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: billing }
spec:
  functionName: orders
  eventSourceArn: arn:aws:local:local-1:000000000000:stream/bills
  endpoints: { LOCAL_FILE: [sources.db] }
  startingPosition: TRIM_HORIZON
---
apiVersion: millrace.dev/v1
kind: Schedule
metadata: { name: nightly }
spec: { scheduleExpression: cron(30 2 * * ? *), scheduleExpressionTimezone: Europe/Berlin, target: { arn: orders } }
---
apiVersion: millrace.dev/v1
kind: Route
metadata: { name: orders }
spec: { functionName: orders, shape: http2, path: "/orders/{id}", methods: [GET] }
`;

export const TOKENS = {
  reader: "page-reader-page-reader-page-reader-1",
  inspector: "page-inspector-page-inspector-page-1",
  sender: "page-sender-page-sender-page-sender-1",
  writer: "page-writer-page-writer-page-writer-1",
};

export interface SeededOptions {
  readonly hasCredentials: boolean;
  readonly processes: number;
  /** Default: a file in the run's folder. */
  readonly store?: string;
}

/** Two processes on one store; streams with records of which some cannot be processed. */
export class SeededRun {
  readonly folder = mkdtempSync(join(tmpdir(), "millrace-page-"));
  readonly #children: ChildProcess[] = [];
  /** What they print: the log with it. */
  readonly #outputs: (() => string)[] = [];
  readonly #store: string;

  private constructor(store: string) {
    this.#store = store;
  }

  static async start(options: SeededOptions) {
    const run = new SeededRun(options.store ?? "sqlite:progress.db");
    writeFileSync(join(run.folder, "orders.mjs"), FUNCTION);
    writeFileSync(join(run.folder, "millrace.yaml"), MANIFEST);
    writeFileSync(
      join(run.folder, "credentials.yaml"),
      `tokens:\n  - { name: reader, roles: [read], token: ${TOKENS.reader} }\n  - { name: inspector, roles: [read, inspect], token: ${TOKENS.inspector} }\n  - { name: sender, roles: [read, send], token: ${TOKENS.sender} }\n  - { name: writer, role: write, token: ${TOKENS.writer} }\n`,
    );
    await run.#command(["streams", "create", "orders", "--file", "sources.db"]);
    await run.#command(["streams", "create", "bills", "--file", "sources.db"]);
    const urls: string[] = [];
    for (let index = 0; index < options.processes; index++)
      urls.push(await run.process(options.hasCredentials));
    return { run, urls };
  }

  /** From now on the function succeeds, and writes down what it got. */
  mend(): void {
    writeFileSync(join(this.folder, "mended"), "");
  }

  /** What the function got since then. */
  done(): readonly string[] {
    return readFileSync(join(this.folder, "done.txt"), "utf8").trimEnd().split("\n");
  }

  /** All lines of the process's log that are so, once there is one. */
  async logged(index: number, wanted: RegExp): Promise<string> {
    const deadline = AbortSignal.timeout(START_MS_MAX);
    for (;;) {
      const lines = (this.#outputs[index]?.() ?? "").split("\n").filter((line) => wanted.test(line));
      // The last one may not be whole yet.
      if (lines.length > 0 && lines.every((line) => line.endsWith("}"))) return lines.join("\n");
      if (deadline.aborted) throw new Error(`no line of its log is so: ${wanted}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** The process that was started so manieth, at once. */
  async kill(index: number): Promise<void> {
    const child = this.#children[index];
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  async put(url: string, stream: string, key: string, data: object, token?: string): Promise<void> {
    const headers: Record<string, string> = { "content-type": "application/json" };
    if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
    const response = await fetch(`${url}/millrace/v1/streams/${stream}/records`, {
      method: "POST",
      headers,
      body: JSON.stringify({ key, data }),
    });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  }

  /** Kills what runs, by its process, and forgets the folder. */
  async end(): Promise<void> {
    for (const index of this.#children.keys()) await this.kill(index);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #command(args: readonly string[]): Promise<void> {
    const child = spawn(process.execPath, [BIN, ...args], {
      cwd: this.folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = textOf(child);
    const status = await new Promise((resolve) => child.once("close", resolve));
    if (status !== 0) throw new Error(`millrace ${args.join(" ")}: ${output()}`);
  }

  /** One more; its address. */
  async process(hasCredentials: boolean, port = 0): Promise<string> {
    const args = [
      "run",
      "-f",
      "millrace.yaml",
      "--api",
      `127.0.0.1:${port}`,
      "--store",
      this.#store,
      "--endpoint",
      "LOCAL_FILE=sources.db",
    ];
    const more = hasCredentials ? ["--api-credentials", "credentials.yaml"] : [];
    const child = spawn(process.execPath, [BIN, ...args, ...more], {
      cwd: this.folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#children.push(child);
    const output = textOf(child);
    this.#outputs.push(output);
    const deadline = AbortSignal.timeout(START_MS_MAX);
    for (;;) {
      const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(output()) ?? [];
      if (url !== undefined) return url;
      if (deadline.aborted || child.exitCode !== null) throw new Error(`it did not start: ${output()}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function textOf(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (part: string) => {
      text = (text + part).slice(-200_000);
    });
  }
  return () => text;
}
