import { DEFAULT_SETTINGS } from "../../../src/engine/settings.ts";
import type { TruthWorld } from "../checkers/s2-truth.ts";
import type { MappingHistory } from "../history.ts";
import type { QueueHistory } from "../queue-history.ts";
import type { Scenario } from "../scenario.ts";
import type { FaultDesk } from "./fault-desk.ts";

interface Known {
  readonly scenario: Scenario;
  readonly faults: FaultDesk;
  readonly historyOf: ReadonlyMap<string, MappingHistory>;
  readonly queues: readonly QueueHistory[];
}

/** What the world has to say of reasons. `world` is asked when it is made. */
export function truthWorld(world: () => Known): TruthWorld {
  return {
    historyOf: (uuid) => world().historyOf.get(uuid),
    queueOf: (uuid) => world().queues.find(({ mapping }) => mapping.uuid === uuid),
    // By single faults so far, or by an outage that is planned.
    wasHarmed: (component) => {
      const { faults, scenario } = world();
      const isOfIt = (kind: string) => kind.includes(component);
      return [...faults.counts.keys()].some(isOfIt) || JSON.stringify(scenario.faults).includes(component);
    },
    leaseDurationMs: () => ({ ...DEFAULT_SETTINGS, ...world().scenario.settings }).leaseDurationMs,
  };
}
