import type { Lease } from "../../leases/lease.ts";
import type { ShardEnvironment } from "./shard-environment.ts";
import type { ShardLanes } from "./shard-lanes.ts";
import type { ShardLife } from "./shard-life.ts";
import { ShardParking } from "./shard-parking.ts";
import type { ShardSettlement } from "./shard-settlement.ts";

export interface ParkingShard {
  readonly environment: ShardEnvironment;
  readonly lease: Lease;
  readonly life: ShardLife;
  readonly settlement: ShardSettlement;
  /** They are made later than this. */
  lanes(): ShardLanes;
  onFenced(): void;
  onDefect(error: unknown): void;
}

/** The parked keys of a shard; `undefined`: none of its mapping ever is. */
export function createShardParking(shard: ParkingShard): ShardParking | undefined {
  const { environment, life, settlement, lanes } = shard;
  const { parking } = environment;
  if (parking === undefined) return undefined;
  return new ShardParking({
    ...shard,
    parking,
    stopSignal: life.stopSignal,
    closeSignal: life.callSignal,
    logId: () => settlement.log.logId,
    settle(records) {
      if (life.isClosed) return;
      settlement.settle(records);
      settlement.endIfDone();
    },
    takeWaiting: (key) => lanes().takeWaitingOf(key),
    giveBack: (records) => lanes().pushAgain(records),
  });
}
