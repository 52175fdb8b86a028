import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { MillraceProcess, until } from "../../integration/cli/millrace-process.ts";

/** A broker of which a crash loses nothing that is persistent. */
export interface ChaosBroker {
  kill(): Promise<void>;
  start(): Promise<void>;
  signal(name: NodeJS.Signals): void;
}

export interface BrokerChaosOptions {
  readonly t: TestContext;
  readonly broker: ChaosBroker;
  /** Lines of the mapping's `spec`, its function left out. */
  readonly spec: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Of all processes together. */
  readonly messages: number;
  readonly disturbances: number;
  /** What the event's messages say, in its order. */
  bodiesOf(event: unknown): readonly string[];
}

export interface BrokerChaosEnd {
  /** Each body when the function had it for the first time. */
  readonly firsts: readonly string[];
  /** Bodies that the function had again, by the kind of disturbance that came before; "none": before the first. */
  readonly repeats: ReadonlyMap<Disturbance | "none", number>;
  readonly counts: ReadonlyMap<Disturbance, number>;
  /** All that the processes wrote. */
  readonly logs: string;
  /** Calls that failed, as planned. */
  readonly failures: number;
}

export type Disturbance =
  | "process killed"
  | "process stood still"
  | "process stopped"
  | "broker killed"
  | "broker stood still";

const DISTURBANCES: readonly Disturbance[] = [
  "process killed",
  "broker stood still",
  "process stopped",
  "broker killed",
  "process stood still",
];
const PROCESSES = 2;
/** Calls of which one fails. */
const FAILS_EVERY = 41;
const CALL_MS = 5;
const STILL_MS = 2_000;

/**
 * Two processes read a queue of a real broker, while one after the other is killed, stopped or made to stand still, and
 * the broker too. Ends when every message has succeeded.
 */
export async function runBrokerChaos(options: BrokerChaosOptions): Promise<BrokerChaosEnd> {
  const { t, broker, messages, disturbances } = options;
  const witness = await startWitness(options);
  const folder = writeRun(options, witness.url);
  const words = ["run", "-f", join(folder, "run.yaml"), "--store", "memory:", "--api", "127.0.0.1:0"];
  const start = () => new MillraceProcess(t, words, folder, { env: options.env });
  const runs = Array.from({ length: PROCESSES }, start);
  const all = [...runs];
  const replace = (index: number) => {
    const run = start();
    runs[index] = run;
    all.push(run);
  };
  const counts = new Map<Disturbance, number>();
  for (let done = 0; done <= disturbances; done++) {
    const wanted = Math.floor((messages * (done + 1)) / (disturbances + 1));
    await until(
      () => witness.succeeded.size >= wanted,
      () =>
        `${witness.succeeded.size} of ${wanted}: ${runs.map(({ stderr }) => stderr.slice(-1_500)).join("\n")}`,
    );
    if (done === disturbances) break;
    const kind = DISTURBANCES[done % DISTURBANCES.length] ?? "process killed";
    const index = done % PROCESSES;
    witness.after = kind;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    assert.ok(!runs.some(({ stderr }) => stderr.startsWith("millrace: ")), "every process has started");
    await disturb(kind, broker, runs[index], () => replace(index));
  }
  for (const run of runs) run.kill("SIGTERM");
  await Promise.all(runs.map(({ exited }) => exited));
  const { firsts, repeats, failures } = witness;
  return { firsts, repeats, counts, failures, logs: all.map(({ stderr }) => stderr).join("") };
}

async function disturb(
  kind: Disturbance,
  broker: ChaosBroker,
  run: MillraceProcess | undefined,
  replace: () => void,
): Promise<void> {
  switch (kind) {
    case "process killed":
    case "process stopped":
      run?.kill(kind === "process killed" ? "SIGKILL" : "SIGTERM");
      await run?.exited;
      return replace();
    case "process stood still":
      run?.kill("SIGSTOP");
      await passed(STILL_MS);
      run?.kill("SIGCONT");
      return;
    case "broker killed":
      await broker.kill();
      return await broker.start();
    case "broker stood still":
      broker.signal("SIGSTOP");
      await passed(STILL_MS);
      broker.signal("SIGCONT");
  }
}

function writeRun({ t, spec }: BrokerChaosOptions, url: string): string {
  const folder = mkdtempSync(join(tmpdir(), "millrace-broker-chaos-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const lines = [
    "apiVersion: millrace.dev/v1",
    "kind: Function",
    "metadata: { name: witness }",
    `spec: { http: { url: "${url}" }, timeoutSeconds: 20 }`,
    "---",
    "apiVersion: millrace.dev/v1",
    "kind: EventSourceMapping",
    "metadata: { name: orders }",
    "spec:",
    "  functionName: witness",
    ...spec.map((line) => `  ${line}`),
  ];
  writeFileSync(join(folder, "run.yaml"), `${lines.join("\n")}\n`);
  return folder;
}

/** A function that fails now and then, and remembers what it was given. */
async function startWitness({ t, bodiesOf }: BrokerChaosOptions) {
  const firsts: string[] = [];
  const seen = new Set<string>();
  const witness = {
    url: "",
    firsts,
    succeeded: new Set<string>(),
    repeats: new Map<Disturbance | "none", number>(),
    after: "none" as Disturbance | "none",
    failures: 0,
  };
  let calls = 0;
  const http = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const bodies = bodiesOf(JSON.parse(Buffer.concat(chunks).toString()));
    for (const body of bodies) {
      if (seen.has(body)) witness.repeats.set(witness.after, (witness.repeats.get(witness.after) ?? 0) + 1);
      else firsts.push(body);
      seen.add(body);
    }
    await passed(CALL_MS);
    const fails = ++calls % FAILS_EVERY === 0;
    if (fails) witness.failures++;
    else for (const body of bodies) witness.succeeded.add(body);
    response.writeHead(200, fails ? { "x-amz-function-error": "Unhandled" } : {});
    response.end(fails ? '{"errorType":"Planned","errorMessage":"now and then"}' : "null");
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    http.closeAllConnections();
    http.close();
  });
  witness.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`;
  return witness;
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
