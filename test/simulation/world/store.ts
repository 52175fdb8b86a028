import { hasErrorCode, MillraceError } from "../../../src/model/errors.ts";
import type { StartPoint } from "../../../src/model/record.ts";
import type { HeldLease, ProgressStore, ShardProgress } from "../../../src/ports/progress-store.ts";
import type { HistoryEvent, LeaseMoved, MappingHistory } from "../history.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import type { FaultDesk } from "./fault-desk.ts";
import { leaseKey } from "./lease-key.ts";
import { LISTS_KEPT, type SimProcess } from "./process.ts";
import type { StoreRows } from "./store-rows.ts";

/** Registered as ended: what its log holds lies behind the starting position. */
const NOTHING_OWED: StartPoint = { kind: "timestamp", epochMs: Number.POSITIVE_INFINITY };

export interface StoreOptions {
  readonly rows: StoreRows;
  readonly process: SimProcess;
  readonly time: VirtualTime;
  readonly faults: FaultDesk;
  /** By mapping uuid. */
  readonly histories: ReadonlyMap<string, MappingHistory>;
}

/**
 * One process's handle on the store that all share. A failing call may have failed before it took effect, after it, or,
 * worst, take effect later, when the caller has read the record back already.
 */
export function createSimStore(options: StoreOptions): ProgressStore {
  const { rows, process } = options;
  const witness = new LeaseWitness(options);
  const send = <T>(serve: () => T, delivered?: (result: T) => void) => sendToStore(options, serve, delivered);
  return {
    list: (mappingUuid) =>
      send(
        () => rows.list(mappingUuid),
        (shards) => {
          const told = process.listed.get(mappingUuid) ?? [];
          process.listed.set(mappingUuid, [...told, shards].slice(-LISTS_KEPT));
          for (const shard of shards) witness.saw(mappingUuid, shard);
        },
      ),
    initialise: (mappingUuid, shards) =>
      send(() => witness.registered(mappingUuid, "initialise", rows.initialise(mappingUuid, shards))),
    add: (mappingUuid, shards) =>
      send(() => witness.registered(mappingUuid, "add", rows.add(mappingUuid, shards))),
    acquire: (mappingUuid, shardId, owner, seen) => {
      const asked = witness.asks();
      witness.checkTakeover(mappingUuid, shardId, seen);
      return send(
        () => {
          const before = rows.find(mappingUuid, shardId);
          const taken = rows.acquire(mappingUuid, shardId, owner, seen);
          if (taken !== undefined) {
            const lease = { shardId, owner, epoch: taken.epoch };
            witness.moved(mappingUuid, lease, "acquired", asked, before?.owner, taken);
          }
          return taken;
        },
        (taken) => {
          if (taken === undefined) return;
          witness.confirmed(mappingUuid, { shardId, owner, epoch: taken.epoch }, asked);
        },
      );
    },
    renew: (mappingUuid, lease) => {
      const asked = witness.asks();
      return send(
        () => {
          const renewal = rows.renew(mappingUuid, lease);
          const move = renewal.kind === "renewed" ? "renewed" : "fenced";
          witness.moved(mappingUuid, lease, move, asked);
          return renewal;
        },
        (renewal) => {
          if (renewal.kind === "renewed") witness.confirmed(mappingUuid, lease, asked);
          else witness.lost(mappingUuid, lease);
        },
      );
    },
    checkpoint: (mappingUuid, lease, checkpoint) => {
      const asked = witness.asks();
      return send(
        () => {
          if (options.faults.isOut("checkpoints")) throw unavailable();
          const result = rows.checkpoint(mappingUuid, lease, checkpoint);
          if (result === "stored") witness.checkpointed(mappingUuid, lease, checkpoint, asked);
          if (result === "fenced") {
            witness.moved(mappingUuid, lease, "fenced", asked);
          }
          return result;
        },
        (result) => {
          if (result === "fenced") witness.lost(mappingUuid, lease);
        },
      );
    },
    release: (mappingUuid, lease) => {
      const asked = witness.asks();
      witness.lost(mappingUuid, lease);
      return send(() => {
        const result = rows.release(mappingUuid, lease);
        const move = result === "released" ? "released" : "fenced";
        witness.moved(mappingUuid, lease, move, asked);
        return result;
      });
    },
    requestHandover: (mappingUuid, shardId, seen, claimant) =>
      send(() => rows.requestHandover(mappingUuid, shardId, seen, claimant)),
    remove: (mappingUuid, shardId) => send(() => rows.remove(mappingUuid, shardId)),
    close: () => (process.state === "dead" ? new Promise(() => {}) : Promise.resolve()),
  };
}

export function sendToStore<T>(
  { process, faults, time }: StoreOptions,
  serve: () => T,
  delivered: ((result: T) => void) | undefined,
): Promise<T> {
  const { random } = process;
  let travelMs = 0.3 + 4.7 * random.next();
  let replyMs = 0.3 + 4.7 * random.next();
  if (faults.roll("store slow", random)) travelMs += random.between(50, 3_000);
  const lost = faults.roll("store failed after apply", random);
  const never = !lost && faults.roll("store failed before apply", random);
  const late = !lost && !never && faults.roll("store applied late", random);
  if (lost || never || late) replyMs += random.chance(0.3) ? random.between(500, 3_000) : 0;
  return process.call({
    travelMs,
    replyMs,
    serve: () => {
      if (faults.isOut("store") || never) throw unavailable();
      if (late) {
        time.schedule(random.between(20, 4_000), () => serveLate(serve));
        throw unavailable();
      }
      const result = serve();
      if (lost) throw unavailable();
      return result;
    },
    delivered,
  });
}

/** Nobody waits for it any more, so nobody hears that the store was out. */
function serveLate(serve: () => unknown): void {
  try {
    serve();
  } catch (error) {
    if (!hasErrorCode(error, "ERR_MILLRACE_STORE_UNAVAILABLE")) throw error;
  }
}

interface Asked {
  readonly at: number;
  readonly localMs: number;
}

/** Writes down what the store and its callers saw of leases and checkpoints. */
class LeaseWitness {
  readonly #options: StoreOptions;

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  asks(): Asked {
    return { at: this.#options.time.now, localMs: this.#options.process.localMs() };
  }

  /** A process looks at a lease: a counter that has not moved since is how it knows that the owner is gone. */
  saw(mappingUuid: string, shard: ShardProgress): void {
    const { process } = this.#options;
    const key = leaseKey(mappingUuid, shard.shardId);
    const sight = process.sights.get(key);
    if (sight?.epoch === shard.epoch && sight.counter === shard.counter) return;
    const { epoch, counter, owner } = shard;
    process.sights.set(key, { epoch, counter, owner, sinceLocalMs: process.localMs() });
  }

  /** What the taker knew when it asked for a lease; the checker of I6 judges it. */
  checkTakeover(mappingUuid: string, shardId: string, seen: { epoch: number; counter: number }): void {
    const { process } = this.#options;
    const sight = process.sights.get(leaseKey(mappingUuid, shardId));
    const isSame = sight !== undefined && sight.epoch === seen.epoch && sight.counter === seen.counter;
    const watchedMs = isSame ? process.localMs() - sight.sinceLocalMs : 0;
    this.#emit(mappingUuid, (history, at) => {
      const shard = history.stream.log(shardId, undefined);
      if (shard === undefined) return undefined;
      return { kind: "leaseSought", at, process, shard, owner: isSame ? sight.owner : undefined, watchedMs };
    });
  }

  registered(mappingUuid: string, how: "initialise" | "add", created: readonly string[]): void {
    for (const shardId of created) {
      const progress = this.#options.rows.find(mappingUuid, shardId);
      this.#emit(mappingUuid, (history, at) => {
        const shard = history.stream.log(shardId, progress?.checkpoint.logId);
        if (progress === undefined || shard === undefined) return undefined;
        history.startPoints[shard.ordinal] ??= progress.checkpoint.ended
          ? NOTHING_OWED
          : progress.checkpoint.resume;
        return {
          kind: "registered",
          at,
          process: this.#options.process,
          shard,
          how,
          checkpoint: progress.checkpoint,
        };
      });
    }
  }

  moved(
    mappingUuid: string,
    lease: HeldLease,
    move: LeaseMoved["move"],
    asked: Asked,
    from?: string,
    taken?: ShardProgress,
  ): void {
    this.#emit(mappingUuid, (history, at) => {
      const shard = history.stream.log(lease.shardId, taken?.checkpoint.logId);
      if (shard === undefined) return undefined;
      if (taken !== undefined)
        this.#options.process.lastLogs.set(leaseKey(mappingUuid, shard.shardId), shard);
      return {
        kind: "leaseMoved",
        at,
        process: this.#options.process,
        shard,
        move,
        epoch: this.#epochOf(mappingUuid, lease),
        from,
        checkpoint: taken?.checkpoint,
        requestedAt: asked.at,
      };
    });
  }

  checkpointed(
    mappingUuid: string,
    lease: HeldLease,
    checkpoint: ShardProgress["checkpoint"],
    asked: Asked,
  ): void {
    this.#emit(mappingUuid, (history, at) => {
      const shard = history.stream.log(lease.shardId, checkpoint.logId);
      if (shard === undefined) return undefined;
      const { process } = this.#options;
      return {
        kind: "checkpointed",
        at,
        process,
        shard,
        epoch: this.#epochOf(mappingUuid, lease),
        requestedAt: asked.at,
        checkpoint,
      };
    });
  }

  #epochOf(mappingUuid: string, lease: HeldLease): number {
    return this.#options.rows.historicEpoch(mappingUuid, lease);
  }

  confirmed(mappingUuid: string, held: HeldLease, asked: Asked): void {
    const key = leaseKey(mappingUuid, held.shardId);
    const epoch = this.#epochOf(mappingUuid, held);
    const { leases, leasesGivenUp } = this.#options.process;
    // The answer to a renewal may come behind the release that overtook it.
    if ((leasesGivenUp.get(key) ?? 0) >= epoch) return;
    const lease = leases.get(key);
    if (lease === undefined || lease.epoch < epoch)
      leases.set(key, { epoch, confirmedLocalMs: asked.localMs });
    else if (lease.epoch === epoch) {
      lease.confirmedLocalMs = Math.max(lease.confirmedLocalMs, asked.localMs);
    }
  }

  lost(mappingUuid: string, lease: HeldLease): void {
    const key = leaseKey(mappingUuid, lease.shardId);
    const epoch = this.#epochOf(mappingUuid, lease);
    this.#options.process.leasesGivenUp.set(key, epoch);
    if (this.#options.process.leases.get(key)?.epoch === epoch) this.#options.process.leases.delete(key);
  }

  #emit(mappingUuid: string, build: (history: MappingHistory, at: number) => HistoryEvent | undefined): void {
    const history = this.#options.histories.get(mappingUuid);
    if (history === undefined) return;
    const event = build(history, this.#options.time.now);
    if (event !== undefined) history.events.push(event);
  }
}

function unavailable(): MillraceError {
  return new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", "The simulated store did not answer.");
}
