import { checkEvents } from "./check-events.ts";
import { EventWorld } from "./event-world.ts";

export interface EventRunResult {
  readonly violations: readonly string[];
  /** What happened, so that a run in which nothing did is seen. */
  readonly counts: EventWorld["counts"];
}

/** Processes that share a queue of events, until all has come to its end (I31 to I36). */
export async function runEventSeed(seed: number): Promise<EventRunResult> {
  const world = new EventWorld(seed);
  await world.run();
  checkEvents(world);
  await world.stop();
  return { violations: world.ledger.violations, counts: world.counts };
}
