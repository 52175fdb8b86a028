import type { SeededRandom } from "../random.ts";
import type { Workload } from "../scenario.ts";
import type { NewMessage } from "./queue-message.ts";
import type { NewRecord, SimStream } from "./stream.ts";
import type { World } from "./world.ts";

/** Records come in bursts: one event of the clock for several. */
const BURSTS_MAX = 80;

export function scheduleArrivals(world: World): void {
  for (const [ordinal, { workload }] of world.scenario.mappings.entries()) {
    const history = world.histories[ordinal];
    if (history === undefined) continue;
    const { stream } = history;
    const { placesShare = 0 } = history.plan;
    const random = world.random.fork(`workload ${ordinal}`);
    scheduleWorkload(world, workload, (record) => {
      const isPoisoned = (key: string, keyOrdinal: number) => isSick(stream, workload, key, keyOrdinal);
      // Whoever writes to a stream that is deleted fails, and nothing has arrived.
      if (stream.isAway) return;
      const { shard } = stream.append(newItem(workload, random, record, isPoisoned));
      if (placesShare > 0 && random.fork(`place ${record}`).chance(placesShare)) stream.appendPlace(shard);
    });
  }
  for (const { plan, queue } of world.queues) {
    const { workload } = plan;
    const random = world.random.fork(`queue workload ${plan.mapping.name}`);
    const isPoisoned = (_: string, group: number) =>
      workload.poisoned === "everything" || (workload.poisoned === "group" && group === 0);
    scheduleWorkload(world, workload, (ordinal) => {
      const { key, ...item } = newItem(workload, random, ordinal, isPoisoned);
      queue.send({ ...item, groupId: key });
    });
  }
}

function unmadeOf(random: SeededRandom, ordinal: number, share = 0): NewMessage["unmade"] {
  if (share === 0) return undefined;
  const own = random.fork(`unmade ${ordinal}`);
  return own.chance(share) ? own.pick(["event", "filter document", "damaged"]) : undefined;
}

type AnyWorkload = Omit<Workload, "shards" | "poisoned">;

function scheduleWorkload(world: World, workload: AnyWorkload, arrive: (ordinal: number) => void): void {
  const backlog = Math.round(workload.records * workload.backlogShare);
  for (let record = 0; record < backlog; record++) arrive(record);
  const rest = workload.records - backlog;
  const bursts = Math.min(rest, BURSTS_MAX);
  world.expectArrivals(bursts);
  for (let burst = 0; burst < bursts; burst++) {
    const from = backlog + Math.floor((burst * rest) / bursts);
    const to = backlog + Math.floor(((burst + 1) * rest) / bursts);
    world.time.schedule(((burst + 1) / bursts) * workload.arrivalsEndMs, () => {
      world.expectArrivals(-1);
      for (let record = from; record < to; record++) arrive(record);
    });
  }
}

/** Absent, a default, before all time, seconds and nanoseconds in place of milliseconds. */
const ABSURD = [undefined, 0, -1, 1_750_000_000, 1.75e18].map((arrivalMs) => ({ arrivalMs }));

/** Each record draws from a fork of its own: a shorter run has the same records, only fewer. */
function newItem(
  workload: AnyWorkload,
  random: SeededRandom,
  ordinal: number,
  isPoisoned: (key: string, keyOrdinal: number) => boolean,
): NewRecord {
  const own = random.fork(String(ordinal));
  const keyOrdinal = Math.floor(own.next() ** workload.skew * workload.keys);
  const key = `key-${keyOrdinal}`;
  const isLarge = own.chance(workload.largeShare);
  const encodedBytes = isLarge
    ? own.int(workload.largeBytesMin, workload.largeBytesMax)
    : own.int(workload.bytesMin, workload.bytesMax);
  return {
    key,
    bytes: encodedBytes,
    encodedBytes,
    accepted: !own.chance(workload.unwantedShare),
    poison: workload.poison.includes(ordinal) || isPoisoned(key, keyOrdinal),
    told: own.chance(workload.timelessShare ?? 0) ? own.pick(ABSURD) : undefined,
    unmade: unmadeOf(random, ordinal, workload.unmadeShare),
  };
}

function isSick(stream: SimStream, workload: Workload, key: string, keyOrdinal: number): boolean {
  switch (workload.poisoned) {
    case "nothing":
      return false;
    case "everything":
      return true;
    case "shard":
      return stream.keyHash(key) < 1 / workload.shards;
    case "key":
      return keyOrdinal === 0;
  }
}
