import { int16, int32, int64, list, string } from "./canned-bytes.ts";

/** Requests of consumer groups by their API keys, in old versions that every client speaks. */
export const GROUP_API = {
  offsetCommit: 8,
  offsetFetch: 9,
  findCoordinator: 10,
  joinGroup: 11,
  heartbeat: 12,
  leaveGroup: 13,
  syncGroup: 14,
} as const;

export const GROUP_VERSIONS: readonly (readonly [apiKey: number, max: number])[] = [
  [GROUP_API.offsetCommit, 2],
  [GROUP_API.offsetFetch, 1],
  [GROUP_API.findCoordinator, 0],
  [GROUP_API.joinGroup, 1],
  [GROUP_API.heartbeat, 0],
  [GROUP_API.leaveGroup, 0],
  [GROUP_API.syncGroup, 0],
];

const MEMBER = "only-member";
const NO_ERROR = int16(0);

/** One consumer group of one member, which leads it, and what it committed. */
export class CannedGroup {
  readonly #self: { readonly host: string; readonly port: number };
  readonly #committed = new Map<number, { readonly offset: bigint; readonly metadata: string }>();
  #generation = 0;

  constructor(self: { readonly host: string; readonly port: number }) {
    this.#self = self;
  }

  /** `undefined`: no request of a group's. */
  answer(apiKey: number, body: Buffer): Buffer | undefined {
    const fields = new Fields(body);
    switch (apiKey) {
      case GROUP_API.findCoordinator:
        return Buffer.concat([NO_ERROR, int32(1), string(this.#self.host), int32(this.#self.port)]);
      case GROUP_API.joinGroup:
        return this.#join(fields);
      case GROUP_API.syncGroup:
        return sync(fields);
      case GROUP_API.heartbeat:
      case GROUP_API.leaveGroup:
        return NO_ERROR;
      case GROUP_API.offsetCommit:
        return this.#commit(fields);
      case GROUP_API.offsetFetch:
        return this.#fetch(fields);
      default:
        return undefined;
    }
  }

  #join(fields: Fields): Buffer {
    fields.string();
    fields.skip(8);
    fields.string();
    fields.string();
    fields.int32();
    const protocol = fields.string();
    const subscription = fields.bytes();
    this.#generation++;
    return Buffer.concat([
      ...[NO_ERROR, int32(this.#generation), string(protocol), string(MEMBER), string(MEMBER)],
      list([Buffer.concat([string(MEMBER), sized(subscription)])]),
    ]);
  }

  #commit(fields: Fields): Buffer {
    fields.string();
    fields.int32();
    fields.string();
    fields.skip(8);
    return fields.topics((partition) => {
      this.#committed.set(partition, { offset: fields.int64(), metadata: fields.string() });
      return NO_ERROR;
    });
  }

  #fetch(fields: Fields): Buffer {
    fields.string();
    return fields.topics((partition) => {
      const { offset, metadata } = this.#committed.get(partition) ?? { offset: -1n, metadata: "" };
      return Buffer.concat([int64(Number(offset)), string(metadata), NO_ERROR]);
    });
  }
}

/** What the leader gave itself. */
function sync(fields: Fields): Buffer {
  fields.string();
  fields.int32();
  fields.string();
  const count = fields.int32();
  let assignment: Buffer = Buffer.alloc(0);
  for (let index = 0; index < count; index++) {
    fields.string();
    assignment = fields.bytes();
  }
  return Buffer.concat([NO_ERROR, sized(assignment)]);
}

function sized(bytes: Buffer): Buffer {
  return Buffer.concat([int32(bytes.length), bytes]);
}

class Fields {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  skip(bytes: number): void {
    this.#at += bytes;
  }

  int32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  int64(): bigint {
    this.#at += 8;
    return this.#bytes.readBigInt64BE(this.#at - 8);
  }

  string(): string {
    this.#at += 2;
    return this.#take(Math.max(0, this.#bytes.readInt16BE(this.#at - 2))).toString();
  }

  bytes(): Buffer {
    return this.#take(this.int32());
  }

  /** Answers each partition of each topic; `of` reads what stands behind its number. */
  topics(of: (partition: number) => Buffer): Buffer {
    return list(
      Array.from({ length: this.int32() }, () => {
        const topic = this.string();
        const partitions = Array.from({ length: this.int32() }, () => {
          const partition = this.int32();
          return Buffer.concat([int32(partition), of(partition)]);
        });
        return Buffer.concat([string(topic), list(partitions)]);
      }),
    );
  }

  #take(bytes: number): Buffer {
    this.#at += bytes;
    return this.#bytes.subarray(this.#at - bytes, this.#at);
  }
}
