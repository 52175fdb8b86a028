/**
 * A process that accepts events and runs them, by one of the sides of `event-sides.ts`, and tells what CPU time that
 * takes. Run by `startEventWorker` as `node event-worker.ts WORK`, WORK as JSON.
 */
import { type ChildProcess, fork } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type EventWork, openSide } from "./event-sides.ts";
import { median } from "./measurement.ts";

export interface EventWorker {
  /** Accepts so many events, each by itself, and runs them all. */
  run(events: number): Promise<EventRun>;
  /** One event after the other, each when all is quiet. */
  latency(events: number): Promise<EventLatency>;
  close(): Promise<void>;
}

export interface EventRun {
  /** CPU time of the process for each event, microseconds: accepted, run and ended. */
  readonly cpuMicros: number;
  /** For orientation only. */
  readonly eventsPerSecond: number;
}

export interface EventLatency {
  /** From the moment that an event is accepted to its handler. */
  readonly p50Ms: number;
}

type Question = { readonly what: "run" | "latency"; readonly events: number };

const CALLERS = 64;
const TEXT = "x".repeat(1_000);
/** What has run is written to the end, and it is seen what looking for more costs. */
const SETTLE_MS = 1_000;
const QUIET_MS = 40;

export async function startEventWorker(work: EventWork): Promise<EventWorker> {
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(work)]);
  await answerOf(child, undefined);
  return {
    run: async (events) => (await answerOf(child, { what: "run", events })) as EventRun,
    latency: async (events) => (await answerOf(child, { what: "latency", events })) as EventLatency,
    close: () =>
      new Promise((resolve) => {
        child.once("exit", () => resolve());
        child.disconnect();
      }),
  };
}

function answerOf(child: ChildProcess, question: Question | undefined): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new Error("a worker of the benchmark ended too early"));
    child.once("exit", onExit);
    child.once("message", (answer) => {
      child.off("exit", onExit);
      resolve(answer);
    });
    if (question !== undefined) child.send(question);
  });
}

async function serve(work: EventWork): Promise<void> {
  const began = new Map<number, PromiseWithResolvers<number>>();
  let next = 0;
  const side = await openSide(work, (n) => began.get(n)?.resolve(performance.now()));
  /** When it was accepted, and when it ran. */
  const one = async () => {
    const n = next++;
    const ran = Promise.withResolvers<number>();
    began.set(n, ran);
    await side.accept({ n, text: TEXT });
    const acceptedMs = performance.now();
    return { acceptedMs, ranMs: ran.promise.finally(() => began.delete(n)) };
  };
  process.on("message", ({ what, events }: Question) => {
    const answer = what === "run" ? runAll(one, events) : latencyOf(one, events);
    void answer.then((found) => process.send?.(found));
  });
  process.on("disconnect", () => process.exit(0));
  process.send?.("ready");
}

type One = () => Promise<{ readonly acceptedMs: number; readonly ranMs: Promise<number> }>;

async function runAll(one: One, events: number): Promise<EventRun> {
  const before = process.cpuUsage();
  const startedMs = performance.now();
  const runs: Promise<number>[] = [];
  let started = 0;
  const callers = Array.from({ length: CALLERS }, async () => {
    while (started < events) {
      started += 1;
      runs.push((await one()).ranMs);
    }
  });
  await Promise.all(callers);
  await Promise.all(runs);
  const seconds = (performance.now() - startedMs) / 1000;
  await sleep(SETTLE_MS);
  const { user, system } = process.cpuUsage(before);
  return { cpuMicros: (user + system) / events, eventsPerSecond: events / seconds };
}

/** A handler that begins before its event's answer is there began at once. */
async function latencyOf(one: One, events: number): Promise<EventLatency> {
  const waits: number[] = [];
  for (let count = 0; count < events; count++) {
    await sleep(QUIET_MS);
    const { acceptedMs, ranMs } = await one();
    waits.push(Math.max(0, (await ranMs) - acceptedMs));
  }
  return { p50Ms: median(waits) };
}

const [, program, work] = process.argv;
if (program === fileURLToPath(import.meta.url) && work !== undefined) await serve(JSON.parse(work));
