import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { MillraceProcess, until } from "./cli/millrace-process.ts";
import { writeQueueManifest } from "./queue-run.ts";

const FUNCTIONS = join(import.meta.dirname, "../fixtures/functions/powertools-sqs.mjs");

export type FifoHandler = "fifo" | "fifoAsync" | "fifoByGroup" | "fifoByGroupAsync";
export const STANDARD_BODIES = ["m1", "m2-poison", "m3", "m4-poison", "m5"];
/** Sent before the start, so that one batch has them all. Groups are the first letters. */
export const FIFO_BODIES = ["a1", "a2-poison", "a3", "b1", "b2"];

/** Also the function's time-out, into which loading it must fit on a busy machine. */
export const VISIBILITY_SECONDS = 3;

/** A queue with its messages and this visibility time-out. */
export interface PowertoolsQueue {
  readonly eventSourceArn: string;
  /** Lines of the mapping's spec. */
  readonly settings?: readonly string[];
  /** Messages of the queue, held ones too. */
  depth(): number | Promise<number>;
}

/**
 * Runs a handler of `powertools-sqs.mjs` until the queue is empty. Returns what it did: `done BODY RECEIVE_COUNT`, or
 * `failed …`.
 */
export async function runPowertools(
  t: TestContext,
  handler: string,
  { eventSourceArn, settings = [], depth }: PowertoolsQueue,
): Promise<readonly string[]> {
  const { folder, manifest } = writeQueueManifest(t, {
    eventSourceArn,
    functionSpec: `module: { path: "${FUNCTIONS}", isolation: thread, export: ${handler}, environment: { SEEN_FILE: seen.txt } }`,
    timeoutSeconds: VISIBILITY_SECONDS,
    settings: ["functionResponseTypes: [ReportBatchItemFailures]", ...settings],
  });
  const seenFile = join(folder, "seen.txt");
  const seen = () => (existsSync(seenFile) ? readFileSync(seenFile, "utf8").trim().split("\n") : []);
  const millrace = new MillraceProcess(t, ["run", "-f", manifest, "--api", "off"], folder);
  await until(
    async () => (await depth()) === 0,
    () => `${seen().join("\n")}\n${millrace.stderr}`,
  );
  millrace.kill("SIGTERM");
  assert.deepEqual(await millrace.ended, { status: 0, signal: null }, millrace.stderr);
  return seen();
}

/** What must have been done with `STANDARD_BODIES`: what failed comes again, and nothing else. */
export function checkStandard(seen: readonly string[]): void {
  assert.deepEqual(seen.toSorted(), [
    "done m1 1",
    "done m2-poison 3",
    "done m3 1",
    "done m4-poison 3",
    "done m5 1",
    "failed m2-poison 1",
    "failed m2-poison 2",
    "failed m4-poison 1",
    "failed m4-poison 2",
  ]);
}

/**
 * What must have been done with `FIFO_BODIES`: nothing behind the failure in its group, and it in order when it comes
 * again.
 */
export function checkFifo(handler: FifoHandler, seen: readonly string[]): void {
  const group = (letter: string) => seen.filter((line) => line.split(" ")[1]?.startsWith(letter));
  assert.deepEqual(group("a"), [
    "done a1 1",
    "failed a2-poison 1",
    "failed a2-poison 2",
    "done a2-poison 3",
    "done a3 3",
  ]);
  if (handler.startsWith("fifoByGroup")) assert.deepEqual(group("b"), ["done b1 1", "done b2 1"]);
  else {
    // Returned behind the failure in their first batch. Whether they meet it again is the queue's affair.
    const receiveCount = Number(group("b")[0]?.split(" ")[2]);
    assert.ok(receiveCount > 1, `b1 was done at receive ${receiveCount}`);
    assert.deepEqual(group("b"), [`done b1 ${receiveCount}`, `done b2 ${receiveCount}`]);
  }
}
