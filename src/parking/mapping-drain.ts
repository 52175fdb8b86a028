import type { PartReasons } from "../engine/engine.ts";
import type { Lease } from "../leases/lease.ts";
import { LeaseHolder } from "../leases/lease-holder.ts";
import { RepeatedLines } from "../lib/repeated-lines.ts";
import { sleepUnless } from "../lib/sleep.ts";
import { initialCheckpoint } from "../model/checkpoint.ts";
import { describeError } from "../model/errors.ts";
import type { Redrive } from "../model/redrive.ts";
import type { ProgressStore, ShardProgress } from "../ports/progress-store.ts";
import { LeasedDrain } from "./leased-drain.ts";
import type { RedriveMapping, RedriveSurroundings } from "./redrive-context.ts";

export interface MappingDrainOptions extends RedriveSurroundings {
  readonly mapping: RedriveMapping;
  readonly owner: string;
  /** The engine's, also where a broker divides the shards of the mapping. */
  readonly progress: ProgressStore;
}

/** The one lease of a mapping's redrives: it stands beside the leases of its shards. */
const PARKED = "~parked";

/** Redrives of one mapping in this process: they go on here while it holds the lease, and wait for others else. */
export class MappingDrain {
  readonly #options: MappingDrainOptions;
  readonly #leases: LeaseHolder<LeasedDrain>;
  readonly #lines: RepeatedLines;
  #redrives: readonly Redrive[] = [];

  constructor(options: MappingDrainOptions) {
    const { mapping, clock, telemetry, progress, owner, settings } = options;
    this.#options = options;
    this.#lines = new RepeatedLines(clock, telemetry);
    this.#leases = new LeaseHolder({
      mappingUuid: leaseNameOf(mapping.uuid),
      mapping: mapping.name,
      owner,
      store: progress,
      clock,
      telemetry,
      lines: this.#lines,
      settings,
      isDividedByBroker: false,
      takenOver: "redrives of a mapping taken over",
      look: () => this.#look(),
      begin: (lease) => this.#begin(lease),
      onWanted: () => undefined,
      onLost: (drain) => drain.abandon(),
      onRenewal: () => undefined,
    });
    this.#leases.start();
  }

  /** Redrives of the mapping that have something to do, as the store has them now. */
  update(redrives: readonly Redrive[]): void {
    this.#redrives = redrives;
    for (const drain of this.#leases.tenants) drain.update(redrives);
  }

  /** What each redrive that runs here waits for. */
  parts(): readonly PartReasons[] {
    return [...this.#leases.tenants].flatMap((drain) => drain.parts());
  }

  /** Lets what runs end for at most `drainMs`, writes down what became of it, and gives the lease back. */
  async stop(drainMs: number): Promise<void> {
    this.#leases.stop();
    await Promise.all([...this.#leases.tenants].map((drain) => drain.stop(drainMs)));
    const ended = this.#leases.end();
    const given = Promise.all([...this.#leases.tenants].map((drain) => this.#leases.give(drain)));
    await sleepUnless(Promise.all([ended, given]), this.#options.clock, GIVE_MS);
    this.#leases.abandon();
  }

  async #look(): Promise<void> {
    const { mapping } = this.#options;
    try {
      await this.#leases.renewAll();
      if (this.#leases.stopSignal.aborted) return;
      const rows = await this.#rows();
      await this.#leases.take(this.#leases.plan(rows, rows));
    } catch (error) {
      const fields = { mapping: mapping.name, error: describeError(error) };
      this.#lines.write("warn", "who redrives the mapping could not be looked up; trying again", fields);
    }
    for (const drain of this.#leases.tenants) if (drain.isOver) await this.#leases.give(drain);
  }

  async #rows(): Promise<readonly ShardProgress[]> {
    const { mapping, progress } = this.#options;
    const name = leaseNameOf(mapping.uuid);
    const rows = await progress.list(name);
    if (rows.length > 0) return rows;
    const shard = { shardId: PARKED, parentShardIds: [], closed: false };
    await progress.add(name, [{ shard, checkpoint: initialCheckpoint({ kind: "oldest" }) }]);
    return await progress.list(name);
  }

  #begin(lease: Lease): LeasedDrain {
    const drain = new LeasedDrain({ ...this.#options, lease, lines: this.#lines });
    drain.update(this.#redrives);
    return drain;
  }
}

/** A store that does not answer holds up no stop. */
const GIVE_MS = 2_000;

/** No mapping has this UUID: rows of shards are others'. */
function leaseNameOf(mappingUuid: string): string {
  return `redrives/${mappingUuid}`;
}
