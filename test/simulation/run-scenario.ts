import { inspect } from "node:util";
import type { Violation } from "./checkers/checker.ts";
import { checkHistory } from "./checkers/index.ts";
import type { History } from "./history.ts";
import type { QueueEvent } from "./queue-history.ts";
import type { Scenario } from "./scenario.ts";
import { World, type WorldOptions } from "./world/world.ts";

export interface RunResult {
  readonly scenario: Scenario;
  readonly history: History;
  readonly violations: readonly Violation[];
  readonly marks: ReadonlyMap<string, number>;
  readonly invocations: number;
  readonly events: number;
}

/** World of the run under way: what escapes the engine as an unhandled rejection is laid to its charge. */
let current: World | undefined;

export async function runScenario(scenario: Scenario, options: WorldOptions): Promise<RunResult> {
  const world = new World(scenario, options);
  current = world;
  try {
    await world.run();
  } catch (error) {
    world.breach("I18", `an exception escaped: ${describe(error)}`);
  } finally {
    current = undefined;
  }
  const { history, marks, time } = world;
  const all = [...history.mappings, ...history.queues];
  const invocations = all.reduce((sum, { attempts }) => sum + attempts.length, 0);
  return { scenario, history, violations: checkHistory(history), marks, invocations, events: time.fired };
}

/** Makes unhandled rejections violations (I18) instead of crashes of the simulator. */
export function watchRejections(): void {
  process.on("unhandledRejection", (reason) => {
    if (current === undefined) throw reason;
    current.breach("I18", `unhandled rejection: ${describe(reason)}`);
  });
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : inspect(error);
}

/** A number for everything that the history holds: two runs of one scenario must agree on it. */
export function traceHash(history: History): number {
  let hash = 0x811c9dc5;
  const mix = (value: number) => {
    hash = Math.imul(hash ^ (value | 0), 0x01000193);
    hash ^= hash >>> 15;
  };
  for (const { events } of history.mappings) {
    for (const event of events) {
      mix(event.at * 1000);
      for (let index = 0; index < event.kind.length; index += 3) mix(event.kind.charCodeAt(index));
      if (event.kind === "attemptStarted") {
        mix(event.attempt.process.ordinal);
        for (const record of event.attempt.records) mix(record.id);
      } else if (event.kind === "checkpointed") {
        mix(event.checkpoint.revision);
        mix(event.checkpoint.settledRanges.length);
      }
    }
  }
  for (const { events } of history.queues) for (const event of events) mixQueueEvent(event, mix);
  return hash >>> 0;
}

function mixQueueEvent(event: QueueEvent, mix: (value: number) => void): void {
  mix(event.at * 1000);
  mix(event.process.ordinal);
  for (let index = 0; index < event.kind.length; index += 3) mix(event.kind.charCodeAt(index));
  const deliveries = "attempt" in event ? event.attempt.deliveries : [];
  for (const { sent } of "deliveries" in event ? event.deliveries : deliveries) mix(sent.id);
}
