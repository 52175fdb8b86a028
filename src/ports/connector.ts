import type { QueueMapping, StartingPosition, StreamMapping } from "../model/mapping.ts";
import type { NetworkReach } from "../model/network-reach.ts";
import type { ConnectorParameters, ShownSettings } from "./connector-parameters.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { Destination } from "./destination.ts";
import type { DestinationKind } from "./destination-kind.ts";
import type { EmbeddedSources, QueueKeeper, StreamKeeper } from "./embedded-sources.ts";
import type { EventRecords } from "./event-records.ts";
import type { FailureReader } from "./failure-reader.ts";
import type { PipeRecords } from "./pipe-records.ts";
import type { QueueSource } from "./queue-source.ts";
import type { NewSource, RecordSender } from "./record-sender.ts";
import type { SourceBacklog } from "./source-backlog.ts";
import type { StreamSource } from "./stream-source.ts";

/**
 * An event source: what `connectors/registry.ts` lists. One folder per connector; a folder that offers both streams and
 * queues has one connector for each.
 */
export type Connector = StreamConnector | QueueConnector;

export interface StreamConnector extends ConnectorIdentity {
  readonly offers: "stream";
  readonly startingPositions: readonly StartingPosition["kind"][];
  /** Streams that the connector keeps itself; left out where others keep what it reads. */
  readonly embedded?: EmbeddedSources<StreamKeeper>;
  openStream(mapping: StreamMapping, settings: SourceSettings): Promise<StreamSource>;
  /**
   * How far the mapping is behind. Left out where the engine's store keeps its progress: a reader of each shard tells,
   * from its checkpoint on.
   */
  openBacklog?(mapping: StreamMapping, settings: SourceSettings): Promise<SourceBacklog>;
  /** A destination of the form that its parameters tell: a part of the source that the mapping reads. */
  openDestination?(mapping: StreamMapping, settings: SourceSettings, uri: string): Promise<Destination>;
  /** Reads what such a destination keeps. */
  openFailureReader?(mapping: StreamMapping, settings: SourceSettings, uri: string): Promise<FailureReader>;
  /** Where ends of asynchronous events may be told, beside AWS's destinations: named without a mapping. */
  readonly eventDestination?: DestinationKind;
  /** For load tests; left out where the connector only reads. */
  openSender?(mapping: StreamMapping, settings: SourceSettings, source: NewSource): Promise<RecordSender>;
  /**
   * Only of sources that are a part of this program: makes the one that the mapping names, when it is not there. True:
   * it was made.
   */
  makeSource?(mapping: StreamMapping, settings: SourceSettings): Promise<boolean>;
}

export interface QueueConnector extends ConnectorIdentity {
  readonly offers: "queue";
  /** The ARN names a queue with order: its mapping has smaller bounds (queues §2.1). Known before it is opened. */
  isFifoQueue(eventSourceArn: string): boolean;
  /** Queues that the connector keeps itself; left out where others keep what it reads. */
  readonly embedded?: EmbeddedSources<QueueKeeper>;
  openQueue(mapping: QueueMapping, settings: SourceSettings): Promise<QueueSource>;
  /** How many messages there are, held ones too; left out where the queue tells nobody but its readers. */
  openBacklog?(mapping: QueueMapping, settings: SourceSettings): Promise<SourceBacklog>;
  /** What the queue has given up, where it goes; `undefined`: it gives nothing up. */
  openDeadLetters?(mapping: QueueMapping, settings: SourceSettings): Promise<DeadLetters | undefined>;
  /** For load tests; left out where the connector only reads. */
  openSender?(mapping: QueueMapping, settings: SourceSettings, source: NewSource): Promise<RecordSender>;
  /** The same. `holdMs`: how long a message that was received is hidden. */
  makeSource?(mapping: QueueMapping, settings: SourceSettings, holdMs: number): Promise<boolean>;
}

/** What a mapping says of its source beyond what all mappings have. It has passed all checks. */
export interface SourceSettings extends ShownSettings {
  /** Where connections may go, of mappings whose servers no operator has named. Absent: anywhere. */
  readonly reach?: NetworkReach;
}

interface ConnectorIdentity {
  /** The `source` label of metrics. */
  readonly kind: string;
  /**
   * How a mapping names what this connector reads; no two connectors read the same, but where they have other
   * `endpointNames`: the mapping gives those of one.
   */
  readonly sources: readonly SourceForm[];
  /** Member of a record's filter document that holds its data (filters §2). */
  readonly filterDataKey: string;
  /**
   * Names of the `endpoints` entries that a mapping with an ARN must give, where the ARN alone does not find the
   * source.
   */
  readonly endpointNames: readonly string[];
  readonly parameters: ConnectorParameters;
  /** Takes its events apart; left out where what was given up cannot be shown record by record, nor redriven. */
  readonly eventRecords?: EventRecords;
  /** Left out where its mappings take no enrichment and no templates. */
  readonly pipeRecords?: PipeRecords;
  /** What `millrace dev` writes into a folder for whoever has nothing yet: a manifest, and what it names. */
  readonly sample?: readonly SampleFile[];
}

export interface SampleFile {
  readonly name: string;
  readonly text: string;
}

export type SourceForm =
  /** `eventSourceArn: arn:aws:<service>:REGION:ACCOUNT:<resourcePrefix>…`; an empty prefix stands for all resources. */
  | { readonly kind: "arn"; readonly service: string; readonly resourcePrefix: string }
  /** No ARN: `selfManagedEventSource.endpoints` has an entry of this name. */
  | { readonly kind: "selfManaged"; readonly endpointName: string };

/** `spec.endpoints` of the mapping, paths already made absolute. Trusted: only the operator writes manifests. */
export type SourceEndpoints = Readonly<Record<string, readonly string[]>>;
