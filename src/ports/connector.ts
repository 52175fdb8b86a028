import type { StreamMapping } from "../model/mapping.ts";
import type { StreamSource } from "./stream-source.ts";

/** An event source: what `connectors/registry.ts` lists. One folder per connector. */
export interface Connector {
  /** The `source` label of metrics, and the folder's name. */
  readonly kind: string;
  /** Service part of the ARNs that this connector reads: `arn:aws:<service>:…`. */
  readonly arnService: string;
  /** Member of a record's filter document that holds its data (queues §6.2). */
  readonly filterDataKey: string;
  readonly startingPositions: readonly ("TRIM_HORIZON" | "LATEST" | "AT_TIMESTAMP")[];
  /** Names of the `endpoints` entries that a mapping must give, for sources that an ARN alone does not find. */
  readonly endpointNames: readonly string[];
  openStream(mapping: StreamMapping, endpoints: SourceEndpoints): Promise<StreamSource>;
}

/** `spec.endpoints` of the mapping, paths already made absolute. Trusted: only the operator writes manifests. */
export type SourceEndpoints = Readonly<Record<string, readonly string[]>>;
