import type { MappingHistory } from "../history.ts";
import type { FaultEvent } from "../scenario.ts";
import { indexAtOrAfter, startIndex } from "./log.ts";
import { happenToQueue } from "./queue-updates.ts";
import type { SimShard } from "./stream.ts";
import type { LiveProcess, World } from "./world.ts";

export function scheduleFaults(world: World): void {
  for (const event of world.scenario.faults) {
    world.time.schedule(event.atMs, () => {
      if (!world.faults.isHealed) happen(world, event);
    });
  }
}

function happen(world: World, event: FaultEvent): void {
  switch (event.kind) {
    case "crash":
    case "crash at call":
    case "pause":
    case "clock jump":
    case "stop":
      happenToProcess(world, event);
      return;
    case "join":
      world.faults.count("join");
      world.startProcess(event);
      return;
    case "window update":
      updateWindows(world, event);
      return;
    case "queue update":
    case "queue change":
      happenToQueue(world, event);
      return;
    case "split":
    case "merge":
    case "trim":
    case "lose end":
      happenToShard(world, event);
      return;
    case "remake":
      remake(world, event);
      return;
    case "retention":
      changeRetention(world, event);
      return;
    case "outage":
      world.faults.beginOutage(event.component);
      world.time.schedule(event.durationMs, () => world.faults.endOutage(event.component));
      return;
  }
}

type ProcessEvent = Extract<FaultEvent, { readonly process: number }>;

function happenToProcess(world: World, event: ProcessEvent): void {
  const working = world.working();
  const live = working[event.process % Math.max(1, working.length)];
  if (live === undefined) return;
  const { process } = live;
  world.faults.count(event.kind);
  switch (event.kind) {
    case "crash":
      process.onDeath = () => restart(world, event.restartAfterMs);
      process.die();
      return;
    case "crash at call":
      process.onDeath = () => restart(world, event.restartAfterMs);
      process.crashAtCall = process.calls + event.call;
      return;
    case "pause":
      process.pause();
      world.time.schedule(event.durationMs, () => process.resume());
      return;
    case "clock jump":
      process.jumpWallClock(event.byMs);
      return;
    case "stop":
      stop(world, live, event.restartAfterMs);
  }
}

/** A paused process gets its signal only when it goes on. */
function stop(world: World, live: LiveProcess, restartAfterMs: number | null): void {
  live.process.enter(() => {
    const isLate = world.faults.isHealed || live.process.stopCalledAt !== undefined;
    if (!isLate) world.stopProcess(live);
  });
  restart(world, restartAfterMs);
}

function restart(world: World, afterMs: number | null): void {
  if (afterMs === null) return;
  world.time.schedule(afterMs, () => world.startProcess({ wallOffsetMs: 0, rate: 1 }));
}

/** As the control plane does it: every process stops the mapping and starts it with its new settings. */
function updateWindows(world: World, event: Extract<FaultEvent, { readonly kind: "window update" }>): void {
  const history = world.histories[event.mapping % world.histories.length];
  if (history === undefined) return;
  world.faults.count(event.kind);
  history.windowUpdates.push(event.lengthMs);
  for (const live of world.working()) live.process.enter(() => world.restartMapping(live, history.ordinal));
}

/** Deleted now; made anew a while later, whatever has healed meanwhile. */
function remake(world: World, event: Extract<FaultEvent, { readonly kind: "remake" }>): void {
  const history = world.histories[event.mapping % world.histories.length];
  if (history?.plan.tellsLogs !== true || history.stream.isAway) return;
  world.faults.count(event.kind);
  history.stream.remove();
  world.expectArrivals(1);
  world.time.schedule(event.awayMs, () => {
    world.expectArrivals(-1);
    history.stream.make(event.shards, event.isLower);
  });
}

function changeRetention(world: World, event: Extract<FaultEvent, { readonly kind: "retention" }>): void {
  const history = world.histories[event.mapping % world.histories.length];
  if (history === undefined) return;
  world.faults.count(event.kind);
  history.stream.retentionMs = event.retentionMs ?? undefined;
}

type ShardEvent = Extract<FaultEvent, { readonly mapping: number; readonly shard: number }>;

function happenToShard(world: World, event: ShardEvent): void {
  const history = world.histories[event.mapping % world.histories.length];
  if (history === undefined) return;
  const { stream } = history;
  const candidates = event.kind === "trim" ? stream.current : stream.openShards();
  const shard = candidates[event.shard % Math.max(1, candidates.length)];
  if (shard === undefined || !hasHappened(world, history, event, shard)) return;
  world.faults.count(event.kind);
  if (event.kind === "trim") history.events.push({ kind: "trimmed", at: world.time.now, shard });
}

function hasHappened(world: World, history: MappingHistory, event: ShardEvent, shard: SimShard): boolean {
  const { stream, plan } = history;
  switch (event.kind) {
    case "split":
      return stream.split(shard);
    case "merge":
      return stream.merge(shard);
    case "trim":
      return stream.trim(shard, event.share) > 0;
    case "lose end":
      return plan.tellsLogs === true && stream.loseEnd(shard, keptOf(world, history, event, shard));
  }
}

function keptOf(
  { rows }: World,
  { mapping }: MappingHistory,
  { share, isAtMark }: Extract<FaultEvent, { readonly kind: "lose end" }>,
  shard: SimShard,
): number {
  const { checkpoint } = rows.find(mapping.uuid, shard.shardId) ?? {};
  const last = checkpoint?.settledRanges.at(-1);
  if (isAtMark !== true || checkpoint === undefined || last === undefined)
    return Math.floor(shard.records.length * share);
  const mark = startIndex(shard, checkpoint.resume);
  return mark + Math.floor((indexAtOrAfter(shard, last.to) - mark) * share);
}
