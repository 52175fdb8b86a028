import type { DeliveryStanding, EventsStanding } from "../engine/create-engine.ts";
import type { Engine } from "../engine/engine.ts";
import type { InvokerBook } from "../invocation/invoker-book.ts";
import type { Manifests } from "../manifests/load-manifests.ts";
import type { NetworkReach } from "../model/network-reach.ts";
import type { Place } from "../model/place.ts";
import type { AlarmQuery } from "../ports/alarm-query.ts";
import type { AsyncEvents } from "../ports/async-events.ts";
import type { LaneBacklog, ListedAsyncItem, ShownAsyncItem } from "../ports/async-queue.ts";
import type { CellStore } from "../ports/cell-store.ts";
import type { Clock } from "../ports/clock.ts";
import type { Connector, SourceEndpoints } from "../ports/connector.ts";
import type { DestinationKind } from "../ports/destination-kind.ts";
import type { ProgressStore } from "../ports/progress-store.ts";
import type { Random } from "../ports/random.ts";
import type { ResourceStore } from "../ports/resource-store.ts";
import type { ScheduleTelemetry } from "../ports/schedule-telemetry.ts";
import type { SnapshotStore } from "../ports/snapshot-store.ts";
import type { ManifestOwner } from "../resources/owner.ts";
import type { Deployments } from "./deployments.ts";
import type { FailureParts } from "./failure-control.ts";
import type { FunctionBook } from "./function-book.ts";
import type { PackageParts } from "./functions/package-sweep.ts";
import type { FunctionLogBook } from "./logs/function-log-book.ts";
import type { MappingRunnerOptions } from "./mapping-run.ts";
import type { OwnSnapshotOptions } from "./own-snapshot.ts";
import type { FrontPlace } from "./routes/route-url.ts";

/** Asynchronous events: the way in, and where those of a function stand. */
export interface EventsBook {
  readonly events: AsyncEvents;
  readonly itemsMax: number;
  readonly bytesMax: number;
  /** The queue of all processes, as counted last. */
  readonly backlog: readonly LaneBacklog[];
  standingOf(functionName: string): EventsStanding;
  deliveries(): readonly DeliveryStanding[];
  list(functionName: string, max: number): Promise<readonly ListedAsyncItem[]>;
  show(id: string): Promise<ShownAsyncItem | undefined>;
}

/** Absent: nobody counts ticks. */
interface TicksTold {
  readonly ticks?: ScheduleTelemetry;
}

export interface ControlPlaneOptions extends Pick<MappingRunnerOptions, "engine" | "drainMs"> {
  readonly telemetry: MappingRunnerOptions["telemetry"] &
    Pick<OwnSnapshotOptions, "totals" | "environments" | "eventFigures"> &
    TicksTold;
  readonly engine: Engine;
  readonly processId: string;
  readonly manifests: Manifests;
  readonly deployments: Deployments;
  /** Where processes of the store share functions' concurrency. */
  readonly cells: CellStore;
  /** Where processes of the store say how they are. */
  readonly snapshots: SnapshotStore;
  readonly failures: FailureParts;
  /** Absent: no asynchronous events are taken. */
  readonly events?: EventsBook | undefined;
  /** Those that `deployments` has too. */
  readonly functionBook: FunctionBook;
  /** As whose declarations what the manifests say is kept. */
  readonly owner: ManifestOwner;
  /** What functions of this process print. */
  readonly functionLog: FunctionLogBook;
  /** Those that the engine has too. */
  readonly invokers: InvokerBook;
  readonly store: ResourceStore;
  readonly progress: ProgressStore;
  /** Absent: functions have no code of their own. */
  readonly packages?: PackageParts | undefined;
  readonly connectors: readonly Connector[];
  readonly destinations?: readonly DestinationKind[];
  /** The operator's, for sources of mappings that the API makes. */
  readonly endpoints: SourceEndpoints;
  /** Where functions and mappings are, wherever their ARNs are shown. */
  readonly place: Place;
  /** Where sources may be that callers of the API name by their addresses. */
  readonly reach: NetworkReach;
  /** Manifests' mappings become the API's. */
  readonly isAdopting: boolean;
  /** A start with a mapping of a manifest that cannot be opened fails, and with it all others. */
  readonly isStrict: boolean;
  /** Calls at once of all functions together; absent: there is no such bound. */
  readonly accountConcurrency?: number | undefined;
  /** Where HTTP requests are served, as far as it is said; absent: nowhere. */
  readonly front?: FrontPlace | undefined;
  /** Asked by alarms of rollouts that have a query; absent: nobody knows. */
  readonly alarmQuery?: AlarmQuery | undefined;
  readonly clock: Clock;
  readonly random: Random;
}
