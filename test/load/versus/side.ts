import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { awsEnvironment } from "../../servers/aws-environment.ts";

/** What a path of records has its process do: one function at a URL, and one mapping. */
export interface SideWork {
  readonly functionUrl: string;
  /** Lines of the mapping's spec, without the function's name. */
  readonly mapping: readonly string[];
  readonly awsEndpoints: Readonly<Record<string, string>>;
}

/** The product of one tree, run by its own command line, so that any commit can be measured. */
export class Side {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #exited: Promise<void>;
  readonly #address: string;

  private constructor(child: ChildProcess, folder: string, address: string) {
    this.#child = child;
    this.#folder = folder;
    this.#address = address;
    this.#exited = new Promise((resolve) => child.once("exit", () => resolve()));
  }

  /** @throws Error with the end of its log, when the process ends before it has started. */
  static async start(tree: string, { functionUrl, mapping, awsEndpoints }: SideWork): Promise<Side> {
    const folder = mkdtempSync(join(tmpdir(), "millrace-side-"));
    const manifest = join(folder, "bench.yaml");
    writeFileSync(
      manifest,
      `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: bench }
spec: { http: { url: "${functionUrl}" }, timeoutSeconds: 30 }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: bench }
spec:
  functionName: bench
${mapping.map((line) => `  ${line}\n`).join("")}`,
    );
    const args = ["run", "-f", manifest, "--api", "127.0.0.1:0", "--store", "memory:"];
    const child = spawn(process.execPath, [join(tree, "src/bin.ts"), ...args], {
      cwd: folder,
      env: { ...process.env, ...awsEnvironment(awsEndpoints) },
      stdio: ["ignore", "ignore", "pipe"],
    });
    return new Side(child, folder, await addressOf(child));
  }

  /** CPU time that the process has used so far, microseconds. */
  async cpuMicros(): Promise<number> {
    const response = await fetch(`${this.#address}/metrics`);
    const seconds = /^process_cpu_seconds_total (\S+)$/m.exec(await response.text())?.[1];
    if (seconds === undefined) throw new Error("the metrics do not tell the CPU time");
    return Number(seconds) * 1_000_000;
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const LOG_CHARS = 2_000;

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stderr === null) return;
    let log = "";
    child.once("exit", () =>
      reject(new Error(`a side ended before it had started: ${log.slice(-LOG_CHARS)}`)),
    );
    createInterface(child.stderr).on("line", (line) => {
      if (log.length < LOG_CHARS) log += `${line}\n`;
      const address = /"address":"(http:[^"]+)".*"message":"started"/.exec(line)?.[1];
      if (address !== undefined) resolve(address);
    });
  });
}
