/**
 * A process of its own, started with --expose-gc: the engine with its real telemetry on one source, whose function
 * counts what it gets. Every so many bytes the function holds all calls, so that what is read ahead stands full and the
 * same each time; what the process holds then, after forced collections, is sent to the parent.
 */
import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { DEFAULT_SETTINGS } from "../../src/engine/settings.ts";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import { createQuietEngine } from "../fixtures/quiet-engine.ts";
import { openStore, openSubject, openTarget } from "./volume-parts.ts";
import type { VolumeSample, VolumeWork } from "./volume-plan.ts";

const work: VolumeWork = JSON.parse(process.argv[2] ?? "");
/** Small, so that what is read ahead is a small and steady part of what is held. */
const SETTINGS = { ...DEFAULT_SETTINGS, mappingBudgetBytes: 4_000_000, readBytes: 1_000_000 };
const SETTLING_MS = 400;
const COLLECTIONS = 3;

let delivered = 0;
let open = Promise.resolve();
let onStep = () => {};
let stepAt = work.stepBytes;

const inner = openTarget(work);
const target: FunctionTarget = {
  async invoke(payload, context, signal) {
    await open;
    const outcome = await inner.invoke(payload, context, signal);
    if (outcome.kind !== "succeeded") throw new Error(`the function's outcome is ${outcome.kind}`);
    delivered += payload.length;
    if (delivered >= stepAt) onStep();
    return outcome;
  },
  close: () => inner.close(),
};

async function sample(): Promise<VolumeSample> {
  // What is under way ends, what is read ahead fills up.
  await sleep(SETTLING_MS);
  for (let round = 0; round < COLLECTIONS; round++) {
    globalThis.gc?.();
    await sleep(20);
  }
  const { heapUsed: heap, external, arrayBuffers } = process.memoryUsage();
  const descriptors = readdirSync("/proc/self/fd").length;
  const timers = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  return { delivered, heap, external, arrayBuffers, descriptors, timers };
}

process.on("disconnect", () => process.exit(1));
const engine = createQuietEngine({ store: await openStore(work), settings: SETTINGS });
const fn = { name: "volume", target, timeoutMs: 60_000, concurrency: 100 };
const subject = await openSubject(work);
engine.start(subject.kind === "stream" ? { ...subject, fn, destination: undefined } : { ...subject, fn });
while (delivered < work.totalBytes) {
  await new Promise<void>((resolve) => {
    onStep = resolve;
    if (delivered >= stepAt) resolve();
  });
  let goOn = () => {};
  open = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  process.send?.(await sample());
  stepAt += work.stepBytes;
  goOn();
}
process.exit(0);
