import type { QueueHistory, QueueUpdate } from "../queue-history.ts";
import type { FaultEvent } from "../scenario.ts";
import { createQueueDeployment } from "./adapters.ts";
import type { LiveProcess, World } from "./world.ts";

/** Longer than any call takes, so that what runs comes to its end. */
const UPDATE_DRAIN_MS = 60_000;

type QueueChange = Extract<FaultEvent, { readonly queue: number }>;

/** What the owner of a queue or of its mapping does while it is read. */
export function happenToQueue(world: World, event: QueueChange): void {
  const history = world.queues[event.queue % Math.max(1, world.queues.length)];
  if (history === undefined) return;
  world.faults.count(event.kind);
  if (event.kind === "queue change") {
    history.queue.reshape({ visibilityMs: event.visibilityMs });
    return;
  }
  history.batchSizes.push(event.batchSize);
  for (const live of world.working())
    live.process.enter(() => updateMapping(world, live, history, event.gapMs));
}

/** A process stops the mapping and begins with it again, which has what its receives bring in between. */
function updateMapping(
  world: World,
  { process, engine }: LiveProcess,
  history: QueueHistory,
  gapMs: number,
): void {
  const { time } = world;
  const isUpdating = history.updates.some((each) => each.process === process && each.begunAt === undefined);
  if (isUpdating || process.state === "dead" || process.stopCalledAt !== undefined) return;
  const update: QueueUpdate = { process, at: time.now, begunAt: undefined };
  history.updates.push(update);
  const begin = () => {
    if (process.stopCalledAt !== undefined) return;
    update.begunAt = time.now;
    process.begunAt.set(history.mapping.uuid, time.now);
    history.events.push({ kind: "mappingBegun", at: time.now, process });
    engine.start(createQueueDeployment(world, process, history));
  };
  engine.stopMapping(history.mapping.uuid, UPDATE_DRAIN_MS, { isFollowed: true }).then(
    () => time.schedule(gapMs, () => process.enter(begin)),
    (error: unknown) => world.breach("I18", `an update in ${process.owner} failed: ${String(error)}`),
  );
}
