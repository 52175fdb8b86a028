/**
 * What members of a consumer group tell its leader, and the leader them: Kafka's own bytes
 * (`ConsumerProtocolSubscription`, `ConsumerProtocolAssignment`), so that Kafka's tools show our members and other
 * clients may be members beside them.
 */
export interface Subscription {
  readonly topics: readonly string[];
  /** Partitions that the member has and has not given back. */
  readonly owned: PartitionsByTopic;
  /** That of the last assignment that the member got; -1: none. */
  readonly generation: number;
}

export type PartitionsByTopic = ReadonlyMap<string, readonly number[]>;

const NO_GENERATION = -1;
/** The first version with `generation`; readers of an older one read its beginning. */
const SUBSCRIPTION_VERSION = 2;
const ASSIGNMENT_VERSION = 1;
/** Most topics, or partitions of a topic, that are read of one member: a bound on what foreign bytes make us hold. */
const ENTRIES_MAX = 100_000;

export function encodeSubscription({ topics, owned, generation }: Subscription): Buffer {
  // Members that know version 1 only look for the generation in the user data.
  const userData = int32(generation);
  return Buffer.concat([
    int16(SUBSCRIPTION_VERSION),
    int32(topics.length),
    ...topics.map(string),
    int32(userData.length),
    userData,
    partitions(owned),
    int32(generation),
  ]);
}

/** Never throws: a member whose bytes cannot be read subscribes to nothing. */
export function decodeSubscription(bytes: Buffer): Subscription {
  try {
    const reader = new ByteReader(bytes);
    const version = reader.int16();
    const topics = reader.array(() => reader.string());
    const userData = reader.bytes();
    const owned = version >= 1 ? reader.partitions() : new Map<string, number[]>();
    return { topics, owned, generation: version >= 2 ? reader.int32() : generationOf(userData) };
  } catch {
    return { topics: [], owned: new Map(), generation: NO_GENERATION };
  }
}

export function encodeAssignment(assigned: PartitionsByTopic): Buffer {
  return Buffer.concat([int16(ASSIGNMENT_VERSION), partitions(assigned), int32(-1)]);
}

/** Never throws: bytes that cannot be read, as of a leader that does not know us, assign nothing. */
export function decodeAssignment(bytes: Buffer): PartitionsByTopic {
  try {
    const reader = new ByteReader(bytes);
    reader.int16();
    return reader.partitions();
  } catch {
    return new Map();
  }
}

function generationOf(userData: Buffer): number {
  return userData.length >= 4 ? userData.readInt32BE(0) : NO_GENERATION;
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([int16(bytes.length), bytes]);
}

function partitions(byTopic: PartitionsByTopic): Buffer {
  const entries = [...byTopic].map(([topic, list]) =>
    Buffer.concat([string(topic), int32(list.length), ...list.map(int32)]),
  );
  return Buffer.concat([int32(entries.length), ...entries]);
}

/** Reads Kafka's primitive types; throws at the end of the bytes and at lengths that cannot be. */
class ByteReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int16(): number {
    return this.#take(2).readInt16BE(0);
  }

  int32(): number {
    return this.#take(4).readInt32BE(0);
  }

  string(): string {
    return this.#take(this.int16()).toString();
  }

  bytes(): Buffer {
    const length = this.int32();
    return length === -1 ? Buffer.alloc(0) : this.#take(length);
  }

  array<Entry>(entry: () => Entry): Entry[] {
    const count = this.int32();
    if (count < 0 || count > ENTRIES_MAX) throw new RangeError(`${count} entries`);
    const entries: Entry[] = [];
    for (let index = 0; index < count; index++) entries.push(entry());
    return entries;
  }

  partitions(): Map<string, number[]> {
    return new Map(this.array(() => [this.string(), this.array(() => this.int32())]));
  }

  #take(length: number): Buffer {
    if (length < 0 || this.#offset + length > this.#bytes.length) throw new RangeError(`${length} bytes`);
    const taken = this.#bytes.subarray(this.#offset, this.#offset + length);
    this.#offset += length;
    return taken;
  }
}
