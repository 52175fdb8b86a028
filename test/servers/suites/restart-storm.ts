import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { CreateEventSourceMappingCommand, UpdateEventSourceMappingCommand } from "@aws-sdk/client-lambda";
import { type RunningControl, startControl } from "../../integration/api/control-run.ts";
import { until } from "../../integration/cli/millrace-process.ts";
import { failuresOf, type SqsRecord, startQueueFunction } from "../../integration/queue-run.ts";
import { createPlainQueue, type PlainQueue, redriveTo } from "../plain-queue.ts";

/** A queue under the storm. The function lists its poison as failed each time, and nothing else. */
export interface StormQueue {
  readonly kind: "standard" | "fifo";
  readonly receivesMax: number;
  readonly messages: number;
  readonly poison: number;
}

export interface StormPlan {
  readonly queues: readonly StormQueue[];
  /** Each with an update, a disabling and an enabling of every mapping before it. */
  readonly restarts: number;
}

/** What became of one queue's messages. */
export interface StormToll {
  readonly kind: StormQueue["kind"];
  readonly sent: number;
  readonly succeeded: number;
  readonly deadLettered: number;
  /** In the dead-letter queue, and no function saw them. */
  readonly unseen: readonly string[];
  /** Neither done nor in the dead-letter queue, and gone. */
  readonly lost: readonly string[];
  /** Done more than once. */
  readonly repeated: number;
  /** Receives that no function saw, of messages that one saw in a later one. */
  readonly unseenReceives: number;
}

export interface StormReport {
  readonly tolls: readonly StormToll[];
  /** How often the processes told what was not well. */
  readonly warnings: ReadonlyMap<string, number>;
}

const VISIBILITY_SECONDS = 6;
/** Few, so that messages stand behind the poison of their group. */
const GROUPS = 8;
/** Of the function: some calls run whenever something changes. */
const WORK_MS = 5;
/** In each restart's round: while the mapping is updated, disabled, enabled, and while the process stops and starts. */
const PARTS = ["update", "disable", "enable", "stop", "start"] as const;
/** Every second round begins with empty queues, so that all receives are long polls that wait for what comes next. */
const IDLE_EVERY = 2;
const STEP_MS_MAX = 120_000;

/**
 * Sends to all queues while their mappings are updated, disabled and enabled and their process is stopped by SIGTERM
 * and started, and tells what became of every message.
 */
export async function restartStorm(t: TestContext, { queues, restarts }: StormPlan): Promise<StormReport> {
  const warnings = new Map<string, number>();
  const lanes = await Promise.all(queues.map((queue) => openLane(t, queue, 1 + restarts * PARTS.length)));
  const byBody = (body: string) => lanes.find(({ plan }) => body.startsWith(plan.kind));
  const url = await startQueueFunction(t, async (records) => {
    const lane = byBody(records[0]?.body ?? "");
    await new Promise((resolve) => setTimeout(resolve, WORK_MS));
    return lane?.tally.invoked(records) ?? { fails: true };
  });
  const folder = mkdtempSync(join(tmpdir(), "millrace-storm-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(
    join(folder, "functions.yaml"),
    `apiVersion: millrace.dev/v1
kind: Function
metadata: { name: jobs }
spec: { http: { url: "${url}" }, timeoutSeconds: ${VISIBILITY_SECONDS} }
`,
  );
  await Promise.all(lanes.map((lane) => lane.sendPart()));
  let control = await startControl(t, folder, []);
  const uuids = await Promise.all(lanes.map((lane) => createMapping(control, lane)));
  const update = (input: object) => updateAll(control, uuids, input);
  const settled = (state: string) => Promise.all(uuids.map((uuid) => control.settled(uuid, state)));

  for (let round = 0; round < restarts; round++) {
    if (round % IDLE_EVERY === 0) await handled(lanes, control);
    const whileSending = async (step: () => Promise<unknown>) =>
      await Promise.all([step(), ...lanes.map((lane) => lane.sendPart())]);
    await whileSending(async () => await update({ BatchSize: 1 + (round % 3) }));
    await settled("Enabled");
    if (round % IDLE_EVERY === 0) await handled(lanes, control);
    await whileSending(async () => await update({ Enabled: false }));
    await settled("Disabled");
    await whileSending(async () => await update({ Enabled: true }));
    await settled("Enabled");
    if (round % IDLE_EVERY === 0) await handled(lanes, control);
    await whileSending(async () => {
      control.process.kill("SIGTERM");
      const { status } = await control.process.ended;
      if (status !== 0) throw new Error(`status ${status}: ${control.process.stderr.slice(-2_000)}`);
      countWarnings(control, warnings);
    });
    const [next] = await Promise.all([
      startControl(t, folder, []),
      ...lanes.map((lane) => lane.sendPart()),
    ] as const);
    control = next;
  }
  await until(
    () => areEmpty(lanes),
    () => `the queues were not emptied: ${control.process.stderr.slice(-2_000)}`,
    STEP_MS_MAX,
  );
  control.process.kill("SIGTERM");
  await control.process.ended;
  countWarnings(control, warnings);
  return { tolls: await Promise.all(lanes.map(async (lane) => await lane.close())), warnings };
}

/** By text and reason: why messages went back, where they did. */
function countWarnings({ process }: RunningControl, warnings: Map<string, number>): void {
  for (const { level, message, reason, error } of process.logs()) {
    if (level !== "warn" && level !== "error") continue;
    const text = [message, reason, error].filter((each) => each !== undefined).join(": ");
    warnings.set(text, (warnings.get(text) ?? 0) + 1);
  }
}

async function createMapping({ client, settled }: RunningControl, { queue }: Lane): Promise<string> {
  const { UUID = "" } = await client.send(
    new CreateEventSourceMappingCommand({
      EventSourceArn: queue.arn,
      FunctionName: "jobs",
      // What stands behind poison must not go with it.
      BatchSize: 1,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
    }),
  );
  await settled(UUID, "Enabled");
  return UUID;
}

async function updateAll({ client }: RunningControl, uuids: readonly string[], input: object): Promise<void> {
  await Promise.all(
    uuids.map((UUID) => client.send(new UpdateEventSourceMappingCommand({ UUID, ...input }))),
  );
}

/** All that was sent so far has come to its end, or is poison; what is on no queue any more is counted at the end. */
async function handled(lanes: readonly Lane[], control: RunningControl): Promise<void> {
  const open = () => lanes.flatMap((lane) => lane.openOnes());
  await until(
    async () => open().length === 0 || (await areEmpty(lanes)),
    () => `not handled: ${open().slice(0, 5)} (${open().length}): ${control.process.stderr.slice(-2_000)}`,
    STEP_MS_MAX,
  );
}

async function areEmpty(lanes: readonly Lane[]): Promise<boolean> {
  return (await Promise.all(lanes.map(({ queue }) => queue.depth()))).every((depth) => depth === 0);
}

interface Lane {
  readonly plan: StormQueue;
  readonly queue: PlainQueue;
  readonly tally: StormTally;
  sendPart(): Promise<void>;
  /** Healthy messages that were sent and may still come: no poison stands before them in their group. */
  openOnes(): readonly string[];
  close(): Promise<StormToll>;
}

async function openLane(t: TestContext, plan: StormQueue, parts: number): Promise<Lane> {
  const { kind, receivesMax, messages, poison } = plan;
  const dead = await createPlainQueue(kind, { VisibilityTimeout: "600" });
  const queue = await createPlainQueue(kind, {
    VisibilityTimeout: String(VISIBILITY_SECONDS),
    ...redriveTo(dead, receivesMax),
  });
  t.after(() => Promise.all([queue[Symbol.asyncDispose](), dead[Symbol.asyncDispose]()]));
  const bodies = Array.from({ length: messages }, (_, index) => {
    // First of all: each comes again until its queue gives it up, and what stands behind it waits for that.
    const isPoison = index < poison;
    const name = isPoison ? "poison" : "message";
    const group = index % GROUPS;
    return `${kind}-${group}/${name}-${index}`;
  });
  const tally = new StormTally();
  let sent = 0;
  const partSize = Math.ceil(messages / parts);
  return {
    plan,
    queue,
    tally,
    async sendPart() {
      const part = bodies.slice(sent, sent + partSize);
      sent += part.length;
      await queue.send(...part);
    },
    openOnes: () =>
      bodies.slice(0, sent).filter((body) => {
        const group = Number(body.slice(kind.length + 1, body.indexOf("/")));
        return group >= GROUPS / 2 && !tally.succeeded.has(body);
      }),
    async close() {
      const letters: string[] = [];
      for (;;) {
        const received = await dead.receive({ waitSeconds: 1 });
        if (received.length === 0) break;
        letters.push(...received.map(({ Body = "" }) => Body));
        await dead.remove(...received);
      }
      return tally.toll(kind, bodies.slice(0, sent), letters);
    },
  };
}

class StormTally {
  readonly succeeded = new Set<string>();
  readonly #seen = new Map<string, { times: number; receives: number }>();
  #repeated = 0;

  invoked(records: readonly SqsRecord[]) {
    for (const { body, attributes } of records) {
      const times = (this.#seen.get(body)?.times ?? 0) + 1;
      this.#seen.set(body, { times, receives: Number(attributes.ApproximateReceiveCount) });
    }
    const failed = records.filter(({ body }) => body.includes("/poison-"));
    for (const record of records) {
      if (failed.includes(record)) continue;
      if (this.succeeded.has(record.body)) this.#repeated++;
      this.succeeded.add(record.body);
    }
    return failuresOf(failed);
  }

  toll(kind: StormQueue["kind"], sent: readonly string[], letters: readonly string[]): StormToll {
    const dead = new Set(letters);
    let unseenReceives = 0;
    for (const { times, receives } of this.#seen.values()) unseenReceives += receives - times;
    return {
      kind,
      sent: sent.length,
      succeeded: this.succeeded.size,
      deadLettered: dead.size,
      unseen: letters.filter((body) => !this.#seen.has(body)),
      lost: sent.filter((body) => !this.succeeded.has(body) && !dead.has(body)),
      repeated: this.#repeated,
      unseenReceives,
    };
  }
}
