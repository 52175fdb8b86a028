import type { SeededRandom } from "../random.ts";
import type { Workload } from "../scenario.ts";
import type { NewRecord, SimStream } from "./stream.ts";
import type { World } from "./world.ts";

/** Records come in bursts: one event of the clock for several. */
const BURSTS_MAX = 80;

export function scheduleArrivals(world: World): void {
  for (const [ordinal, { workload }] of world.scenario.mappings.entries()) {
    const history = world.histories[ordinal];
    if (history === undefined) continue;
    const { stream } = history;
    const random = world.random.fork(`workload ${ordinal}`);
    const backlog = Math.round(workload.records * workload.backlogShare);
    for (let record = 0; record < backlog; record++) appendRecord(stream, workload, random, record);
    const rest = workload.records - backlog;
    const bursts = Math.min(rest, BURSTS_MAX);
    world.expectArrivals(bursts);
    for (let burst = 0; burst < bursts; burst++) {
      const from = backlog + Math.floor((burst * rest) / bursts);
      const to = backlog + Math.floor(((burst + 1) * rest) / bursts);
      world.time.schedule(((burst + 1) / bursts) * workload.arrivalsEndMs, () => {
        world.expectArrivals(-1);
        for (let record = from; record < to; record++) appendRecord(stream, workload, random, record);
      });
    }
  }
}

/** Each record draws from a fork of its own: a shorter run has the same records, only fewer. */
function appendRecord(stream: SimStream, workload: Workload, random: SeededRandom, ordinal: number): void {
  const own = random.fork(String(ordinal));
  const keyOrdinal = Math.floor(own.next() ** workload.skew * workload.keys);
  const key = `key-${keyOrdinal}`;
  const isLarge = own.chance(workload.largeShare);
  const encodedBytes = isLarge
    ? own.int(workload.largeBytesMin, workload.largeBytesMax)
    : own.int(workload.bytesMin, workload.bytesMax);
  const record: NewRecord = {
    key,
    bytes: encodedBytes,
    encodedBytes,
    accepted: !own.chance(workload.unwantedShare),
    poison: workload.poison.includes(ordinal) || isSick(stream, workload, key, keyOrdinal),
  };
  stream.append(record);
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
