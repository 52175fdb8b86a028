/** The requests that the connector makes, in the shapes of kafkajs. 64-bit numbers are decimal strings. */
export interface KafkaRequests {
  readonly Metadata: {
    readonly args: { readonly topics: readonly string[]; readonly allowAutoTopicCreation: false };
    readonly answer: MetadataAnswer;
  };
  readonly ListOffsets: {
    readonly args: {
      /** 1: only what committed transactions have written counts. */
      readonly isolationLevel: 0 | 1;
      readonly topics: readonly TopicOf<{
        readonly partition: number;
        readonly timestamp: string | number;
      }>[];
    };
    readonly answer: {
      readonly responses: readonly TopicOf<{
        readonly partition: number;
        readonly errorCode: number;
        readonly timestamp?: string;
        readonly offset?: string;
        readonly offsets?: readonly string[];
      }>[];
    };
  };
  readonly GroupCoordinator: {
    readonly args: { readonly groupId: string };
    readonly answer: { readonly coordinator: BrokerAddress };
  };
  readonly JoinGroup: {
    readonly args: {
      readonly groupId: string;
      readonly sessionTimeout: number;
      readonly rebalanceTimeout: number;
      /** Empty to begin with. */
      readonly memberId: string;
      readonly protocolType: string;
      readonly groupProtocols: readonly { readonly name: string; readonly metadata: Buffer }[];
    };
    readonly answer: {
      readonly generationId: number;
      readonly groupProtocol: string;
      readonly leaderId: string;
      readonly memberId: string;
      /** For the leader only. */
      readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[];
    };
  };
  readonly SyncGroup: {
    readonly args: MemberOf & {
      readonly generationId: number;
      readonly groupAssignment: readonly { readonly memberId: string; readonly memberAssignment: Buffer }[];
    };
    readonly answer: { readonly memberAssignment: Buffer };
  };
  readonly Heartbeat: {
    readonly args: MemberOf & { readonly groupGenerationId: number };
    readonly answer: object;
  };
  readonly LeaveGroup: { readonly args: MemberOf; readonly answer: object };
  readonly OffsetCommit: {
    readonly args: MemberOf & {
      readonly groupGenerationId: number;
      readonly topics: readonly TopicOf<{
        readonly partition: number;
        readonly offset: string;
        /** The epoch of the last record before the offset; −1: not known. Older brokers are not told. */
        readonly leaderEpoch: number;
        readonly metadata: string | null;
      }>[];
    };
    readonly answer: {
      readonly responses: readonly TopicOf<{ readonly partition: number; readonly errorCode: number }>[];
    };
  };
  readonly OffsetFetch: {
    readonly args: {
      readonly groupId: string;
      readonly topics: readonly TopicOf<{ readonly partition: number }>[];
    };
    readonly answer: {
      readonly responses: readonly TopicOf<{
        readonly partition: number;
        /** `-1`: nothing committed. */
        readonly offset: string;
        /** −1 and absent: not known. */
        readonly leaderEpoch?: number;
        readonly metadata: string | null;
        readonly errorCode: number;
      }>[];
      readonly errorCode: number;
    };
  };
  /** Not one of kafkajs's. */
  readonly OffsetForLeaderEpoch: {
    readonly args: {
      readonly topics: readonly TopicOf<{ readonly partition: number; readonly leaderEpoch: number }>[];
    };
    readonly answer: {
      readonly responses: readonly TopicOf<{
        readonly partition: number;
        readonly errorCode: number;
        /** The newest epoch of the log that is not newer than the one asked for; −1: not known. */
        readonly leaderEpoch: number;
        /** Where that epoch ends in the log; −1: not known. */
        readonly endOffset: number;
      }>[];
    };
  };
  readonly Produce: {
    readonly args: {
      readonly acks: -1 | 1;
      readonly timeout: number;
      /** 0: none. */
      readonly compression: 0 | 1;
      readonly topicData: readonly TopicOf<{
        readonly partition: number;
        readonly messages: readonly {
          readonly key: Buffer | null;
          readonly value: Buffer | null;
          readonly timestamp?: string;
          readonly headers?: Readonly<Record<string, Buffer>>;
        }[];
      }>[];
    };
    readonly answer: {
      readonly topics: readonly {
        readonly topicName: string;
        readonly partitions: readonly {
          readonly partition: number;
          readonly errorCode: number;
          readonly baseOffset?: string;
        }[];
      }[];
    };
  };
}

/** Fetch is apart: its answer is read by our own decoder. */
export interface FetchArgs {
  readonly maxWaitTime: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly isolationLevel: 1;
  readonly topics: readonly (TopicOf<{
    readonly partition: number;
    readonly fetchOffset: string;
    /** The epoch of the record before the offset; −1: not known. Older brokers are not told. */
    readonly lastFetchedEpoch: number;
    readonly maxBytes: number;
  }> & {
    /** `undefined`: the cluster has none. */
    readonly topicId: string | undefined;
  })[];
}

export interface MetadataAnswer {
  readonly brokers: readonly BrokerAddress[];
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number;
    readonly topic: string;
    /** From Kafka 2.8 on. */
    readonly topicId?: string;
    readonly partitionMetadata: readonly {
      readonly partitionErrorCode: number;
      readonly partitionId: number;
      /** −1: none now. */
      readonly leader: number;
    }[];
  }[];
}

export interface BrokerAddress {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

interface TopicOf<Partition> {
  readonly topic: string;
  readonly partitions: readonly Partition[];
}

interface MemberOf {
  readonly groupId: string;
  readonly memberId: string;
}
