/**
 * `npm run test:rollouts [-- --seconds N] [-- --rate N]`: two processes of millrace share an embedded stream of 1,000
 * keys, at 1,000 records a second, while an alias is brought to a version 2 that fails 20 % of records, and to one that
 * is good. Prints what both came to. Exit status 1 when the bad one has not gone back within 30 s of its 20th call, the
 * good one has not taken everything over, a record is lost or out of order, or a key went back and on again.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { RolloutWitness } from "./rollout-witness.ts";

const { values } = parseArgs({ options: { rate: { type: "string" }, seconds: { type: "string" } } });
const RATE = Number(values.rate ?? "1000");
const SECONDS_MAX = Number(values.seconds ?? "420");
const KEYS = 1_000;
const PUTS_A_SECOND = 5;
const TRIES_MAX = 100;
const BACK_WITHIN_MS = 30_000;
const DRAIN_MS_MAX = 120_000;

type Rollout = Readonly<Record<"id" | "status" | "reason" | "share", unknown>>;

const folder = mkdtempSync(join(tmpdir(), "millrace-rollouts-"));
const children: ChildProcess[] = [];
let isFailed = false;
try {
  for (const kind of ["bad", "good"] as const) await runOnce(kind);
} finally {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = isFailed ? 1 : 0;

async function runOnce(kind: "bad" | "good"): Promise<void> {
  const witness = new RolloutWitness();
  if (kind === "bad") witness.fails = (seq) => seq % 5 === 0;
  const target = await witness.listen();
  const manifest = join(folder, `${kind}.yaml`);
  const plan = kind === "bad" ? "canary, percent: 10" : "linear, percent: 34";
  writeFileSync(manifest, manifestOf(kind, target, 1, plan));
  const ports = [await freePort(), await freePort()];
  for (const port of ports) children.push(start(kind, manifest, port));
  const api = `http://127.0.0.1:${ports[0]}/millrace/v1`;
  await until(60_000, async () => (await fetch(`${api}/rollouts`).catch(() => undefined))?.ok === true);
  await post(`${api}/streams`, { name: `${kind}-orders`, shards: 4 });
  const sent = new Map<string, number>();
  let isSending = true;
  const sending = send(api, kind, sent, () => isSending).catch((error: unknown) => fail(String(error)));
  await sleep(5_000);
  writeFileSync(manifest, manifestOf(kind, target, 2, plan));
  const began = Date.now();
  const ended = await endOf(api);
  const endedMs = Date.now();
  await sleep(5_000);
  isSending = false;
  await sending;
  const total = [...sent.values()].reduce((sum, count) => sum + count, 0);
  await until(DRAIN_MS_MAX, async () => witness.processed >= total);
  const judgement = witness.judge(sent);
  const twentieth = witness.callOfNew(20);
  const backMs = twentieth === undefined ? undefined : endedMs - twentieth;
  console.log(`${kind}: ${total} records of ${sent.size} keys, ${JSON.stringify(ended)}`);
  console.log(
    `  ended ${((endedMs - began) / 1000).toFixed(1)} s behind the change, ${backMs} ms behind call 20`,
  );
  console.log(`  ${JSON.stringify(judgement)}`);
  const { lost, disordered, flipped, keysOfNew } = judgement;
  if (lost + disordered + flipped > 0) fail(`${kind}: something is lost, out of order, or flipped`);
  if (kind === "bad" && (ended?.status !== "Failed" || backMs === undefined || backMs > BACK_WITHIN_MS))
    fail("the bad version did not go back in time");
  if (kind === "bad" && keysOfNew > 0.15 * KEYS) fail(`${keysOfNew} keys were of the bad version`);
  if (kind === "good" && (ended?.status !== "Succeeded" || keysOfNew < sent.size))
    fail("the good version did not take everything over");
  for (const child of children.splice(0)) child.kill("SIGTERM");
  witness.close();
}

function fail(why: string): void {
  isFailed = true;
  console.log(`FAILED: ${why}`);
}

function start(kind: string, manifest: string, port: number): ChildProcess {
  const bin = resolve(import.meta.dirname, "../../src/bin.ts");
  const store = `sqlite:${join(folder, `${kind}.db`)}`;
  const args = [bin, "run", "-f", manifest, "--store", store, "--api", `127.0.0.1:${port}`, "--watch"];
  return spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"], cwd: folder });
}

function manifestOf(kind: string, target: number, version: number, plan: string): string {
  const url = (of: number) => `{ http: { url: "http://127.0.0.1:${target}/${of}" } }`;
  return `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: ${kind} }
spec:
  http: { url: "http://127.0.0.1:${target}/1" }
  timeoutSeconds: 10
  versions: { 1: ${url(1)}, 2: ${url(2)} }
  aliases: { live: { version: ${version}, rollout: { type: { kind: ${plan}, minutes: 1 } } } }
---
apiVersion: millrace.dev/v1
kind: EventSourceMapping
metadata: { name: ${kind}-orders }
spec:
  functionName: ${kind}:live
  eventSourceArn: arn:aws:local:local-1:000000000000:stream/${kind}-orders
  endpoints: { LOCAL_FILE: [${join(folder, `${kind}-sources.db`)}] }
  startingPosition: TRIM_HORIZON
  batchSize: 20
  parallelizationFactor: 4
`;
}

/** So many records a second, each key in turn; what could not be put is put again before anything else. */
async function send(api: string, kind: string, sent: Map<string, number>, isOn: () => boolean) {
  const began = Date.now();
  for (let ordinal = 0; isOn(); ) {
    const due = Math.floor(((Date.now() - began) / 1000) * RATE);
    const records = Array.from({ length: Math.min(500, Math.max(0, due - ordinal)) }, () => {
      const key = `key-${ordinal++ % KEYS}`;
      const seq = sent.get(key) ?? 0;
      sent.set(key, seq + 1);
      return { key, data: { seq } };
    });
    if (records.length > 0) await post(`${api}/streams/${kind}-orders/records`, records);
    else await sleep(1_000 / PUTS_A_SECOND);
  }
}

async function endOf(api: string): Promise<Rollout | undefined> {
  let last: Rollout | undefined;
  await until(SECONDS_MAX * 1_000, async () => {
    const answer = (await (await fetch(`${api}/rollouts`)).json()) as { rollouts: readonly Rollout[] };
    const [rollout] = answer.rollouts;
    last = rollout && {
      id: rollout.id,
      status: rollout.status,
      reason: rollout.reason,
      share: rollout.share,
    };
    return rollout !== undefined && rollout.status !== "InProgress";
  });
  return last;
}

/** A caller that sends more often than the API lets it waits, and sends the same again: nothing of it was taken. */
async function post(url: string, body: unknown): Promise<void> {
  const headers = { "content-type": "application/json" };
  const send = () => fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  let answer = await send();
  for (let tries = 1; answer.status === 429 && tries < TRIES_MAX; tries++) {
    await sleep(1_000 / PUTS_A_SECOND);
    answer = await send();
  }
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
}

async function until(forMs: number, isSo: () => Promise<boolean>): Promise<void> {
  for (const began = Date.now(); Date.now() - began < forMs; await sleep(100)) if (await isSo()) return;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
