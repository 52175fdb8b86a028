import type { QueueMapping, StreamMapping } from "../model/mapping.ts";
import type { QueueSource } from "./queue-source.ts";
import type { StreamSource } from "./stream-source.ts";

/**
 * An event source: what `connectors/registry.ts` lists. One folder per connector; a folder that offers both streams and
 * queues has one connector for each.
 */
export type Connector = StreamConnector | QueueConnector;

export interface StreamConnector extends ConnectorIdentity {
  readonly offers: "stream";
  readonly startingPositions: readonly ("TRIM_HORIZON" | "LATEST" | "AT_TIMESTAMP")[];
  openStream(mapping: StreamMapping, endpoints: SourceEndpoints): Promise<StreamSource>;
}

export interface QueueConnector extends ConnectorIdentity {
  readonly offers: "queue";
  /** The ARN names a queue with order: its mapping has smaller bounds (queues §2.1). Known before it is opened. */
  isFifoQueue(eventSourceArn: string): boolean;
  openQueue(mapping: QueueMapping, endpoints: SourceEndpoints): Promise<QueueSource>;
}

interface ConnectorIdentity {
  /** The `source` label of metrics. */
  readonly kind: string;
  /** Service part of the ARNs that this connector reads: `arn:aws:<service>:…`. */
  readonly arnService: string;
  /** How the resource part of those ARNs begins, where connectors share a service: `stream/`. Empty: it reads all. */
  readonly arnResourcePrefix: string;
  /** Member of a record's filter document that holds its data (queues §6.2). */
  readonly filterDataKey: string;
  /** Names of the `endpoints` entries that a mapping must give, for sources that an ARN alone does not find. */
  readonly endpointNames: readonly string[];
}

/** `spec.endpoints` of the mapping, paths already made absolute. Trusted: only the operator writes manifests. */
export type SourceEndpoints = Readonly<Record<string, readonly string[]>>;
