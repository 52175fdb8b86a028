import type { EngineSettings } from "../engine/settings.ts";
import type { LoadedManifests, Manifests } from "../manifests/load-manifests.ts";
import type { ErrorDetails } from "../model/function-error.ts";
import type { NetworkReach } from "../model/network-reach.ts";
import type { Place } from "../model/place.ts";
import type { SourceEndpoints } from "../ports/connector.ts";
import type { LogLevel } from "../ports/telemetry.ts";
import type { ManifestOwner } from "../resources/owner.ts";
import type { ApiPlace, ClusterPlaces, FrontOptions } from "./adapters.ts";
import type { EventQueueUrl, StoreUrl } from "./store-url.ts";

interface WatchedManifests {
  /** Before they were read for the first time. */
  readonly known: string;
  /** Another text when the manifests' files are others. */
  manifests(): string;
  folders(): ReadonlySet<string>;
}

/** What is made easier for whoever just writes a function. Embedded sources are made where manifests name them. */
interface DevOptions {
  /** What is said once all runs. */
  greeting(apiUrl: string | undefined, manifests: Manifests): string;
}

export interface RunOptions {
  readonly api: ApiPlace;
  /** HTTP requests from outside. */
  readonly front: FrontOptions;
  readonly store: StoreUrl;
  /** Keeps asynchronous events in the store's place; absent: the store does, if it can. */
  readonly eventQueue?: EventQueueUrl;
  /** Where code is kept that the API takes; `undefined`: beside a store of this host. */
  readonly packages: string | undefined;
  readonly logLevel: LogLevel;
  /** What this process keeps and tells of failures of functions, whatever these are declared with. */
  readonly errorDetails: ErrorDetails;
  /** What functions say of their failures stands in the log, too. */
  readonly logsErrorText: boolean;
  /** Base URL of a collector, or `off`; `undefined`: what the environment says. */
  readonly otlp: string | undefined;
  /** Who is asked by alarms of rollouts that have a query; `undefined`: nobody. */
  readonly prometheus: string | undefined;
  /** Who asks AWS for records and messages, and reads them. */
  readonly awsReadPath: "hand" | "sdk";
  readonly drainMs: number;
  readonly settings: EngineSettings;
  /** End as if stopped once all mappings have processed and checkpointed what their sources hold. */
  readonly untilCaughtUp: boolean;
  /** Where sources of mappings of the API are that an ARN alone does not find. */
  readonly endpoints: SourceEndpoints;
  /** Where sources may be that callers of the API name by their addresses. */
  readonly reach: NetworkReach;
  /** Where functions and mappings are. */
  readonly place: Place;
  /** As whose declarations the manifests are kept. */
  readonly owner: ManifestOwner;
  /** In place of manifests; absent: custom resources are not looked at. */
  readonly kubernetes?: ClusterPlaces | undefined;
  readonly isAdopting: boolean;
  readonly isStrict: boolean;
  /** Calls at once of all functions together, over all processes of the store; absent: there is no such bound. */
  readonly accountConcurrency: number | undefined;
  /** Reads and checks the manifests again. */
  readonly readAgain: () => LoadedManifests;
  /** Absent: files are not watched. */
  readonly watched: WatchedManifests | undefined;
  /** Set by `millrace dev` alone. */
  readonly dev: DevOptions | undefined;
  /** Stands in each log line. */
  readonly processId: string | undefined;
}
