import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const BIN = join(import.meta.dirname, "../../src/bin.ts");
const START_MS_MAX = 60_000;

/** What a page must show as text and never run. */
export const HOSTILE = '<img src=x onerror="window.pwned=1">\u202eevil';

const FUNCTION = `
export async function handler(event) {
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
spec: { module: { path: ./orders.mjs } }
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
`;

export const TOKENS = {
  reader: "page-reader-page-reader-page-reader-1",
  writer: "page-writer-page-writer-page-writer-1",
};

/** Two processes on one store; streams with records of which some cannot be processed. */
export class SeededRun {
  readonly folder = mkdtempSync(join(tmpdir(), "millrace-page-"));
  readonly #children: ChildProcess[] = [];

  static async start(options: { readonly hasCredentials: boolean; readonly processes: number }) {
    const run = new SeededRun();
    writeFileSync(join(run.folder, "orders.mjs"), FUNCTION);
    writeFileSync(join(run.folder, "millrace.yaml"), MANIFEST);
    writeFileSync(
      join(run.folder, "credentials.yaml"),
      `tokens:\n  - { name: reader, roles: [read], token: ${TOKENS.reader} }\n  - { name: writer, role: write, token: ${TOKENS.writer} }\n`,
    );
    await run.#command(["streams", "create", "orders", "--file", "sources.db"]);
    await run.#command(["streams", "create", "bills", "--file", "sources.db"]);
    const urls: string[] = [];
    for (let index = 0; index < options.processes; index++)
      urls.push(await run.#process(options.hasCredentials));
    return { run, urls };
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
    for (const child of this.#children) {
      if (child.exitCode !== null) continue;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
    }
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

  async #process(hasCredentials: boolean): Promise<string> {
    const args = ["run", "-f", "millrace.yaml", "--api", "127.0.0.1:0", "--store", "sqlite:progress.db"];
    const more = hasCredentials ? ["--api-credentials", "credentials.yaml"] : [];
    const child = spawn(process.execPath, [BIN, ...args, ...more], {
      cwd: this.folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#children.push(child);
    const output = textOf(child);
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
      text = (text + part).slice(-20_000);
    });
  }
  return () => text;
}
