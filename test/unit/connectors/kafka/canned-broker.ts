import { createServer, type Server, type Socket } from "node:net";
import { int16, int32, int64, list, string } from "./canned-bytes.ts";
import { CannedGroup, GROUP_VERSIONS } from "./canned-group.ts";

/** What the broker has of one partition: batches as they lie in its log, each from its first to its last offset. */
export interface CannedPartition {
  /** Offset behind the last record. */
  readonly endOffset: number;
  /** The batches from the one that holds this offset on, at most about so many bytes of them, at least one. */
  read(offset: number, bytesMax: number): Buffer;
}

export interface CannedBrokerOptions {
  readonly topic: string;
  readonly partitions: readonly CannedPartition[];
  /** What brokers say of themselves; default: how they were reached. */
  readonly advertised?: { readonly host: string; readonly port: number };
  /** In the place of an answer, with its size and correlation id: what a hostile broker would send. */
  readonly hijack?: (apiKey: number, socket: Socket, correlationId: number) => boolean;
}

export interface CannedBroker extends AsyncDisposable {
  readonly port: number;
  readonly address: string;
  /** Requests by their API keys. */
  readonly requests: ReadonlyMap<number, number>;
}

export const API = { fetch: 1, listOffsets: 2, metadata: 3, apiVersions: 18 } as const;
/** Old versions, which every client speaks, without epochs and ids. */
const VERSIONS: readonly (readonly [apiKey: number, max: number])[] = [
  [API.fetch, 4],
  [API.listOffsets, 1],
  [API.metadata, 1],
  [API.apiVersions, 0],
  ...GROUP_VERSIONS,
];
const VERSIONS_LIST = list(VERSIONS.map(([key, max]) => Buffer.concat([int16(key), int16(0), int16(max)])));
const UNKNOWN_TOPIC = 3;
const OFFSET_OUT_OF_RANGE = 1;
const UNSUPPORTED_VERSION = 35;

/**
 * One broker of one topic, which leads all of its partitions. Speaks what reading needs, with a group of one member.
 */
export async function startCannedBroker(options: CannedBrokerOptions): Promise<CannedBroker> {
  const requests = new Map<number, number>();
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    let rest = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
        const frame = rest.subarray(4, 4 + rest.readInt32BE(0));
        rest = rest.subarray(4 + frame.length);
        answer(frame, socket);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("no port");
  const self = options.advertised ?? { host: "127.0.0.1", port: bound.port };

  const group = new CannedGroup(self);

  function answer(frame: Buffer, socket: Socket): void {
    const [apiKey, version, correlationId] = [
      frame.readInt16BE(0),
      frame.readInt16BE(2),
      frame.readInt32BE(4),
    ];
    requests.set(apiKey, (requests.get(apiKey) ?? 0) + 1);
    if (options.hijack?.(apiKey, socket, correlationId) === true) return;
    const body = frame.subarray(10 + frame.readInt16BE(8));
    const send = (...parts: readonly Buffer[]) => {
      const payload = Buffer.concat([int32(correlationId), ...parts]);
      socket.write(Buffer.concat([int32(payload.length), payload]));
    };
    if (apiKey === API.apiVersions && version > 0) send(int16(UNSUPPORTED_VERSION), int32(0));
    else if (apiKey === API.apiVersions) send(int16(0), VERSIONS_LIST);
    else if (apiKey === API.metadata) send(metadata(body, options, self));
    else if (apiKey === API.listOffsets) send(listOffsets(body, options));
    else if (apiKey === API.fetch) fetch(body, options, send);
    else {
      const answered = group.answer(apiKey, body);
      if (answered === undefined) socket.destroy();
      else send(answered);
    }
  }

  return {
    port: bound.port,
    address: `127.0.0.1:${bound.port}`,
    requests,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function metadata(
  body: Buffer,
  { topic, partitions }: CannedBrokerOptions,
  self: { readonly host: string; readonly port: number },
): Buffer {
  const asked = body.toString("utf8", 6, 6 + body.readInt16BE(4));
  const isKnown = asked === topic;
  const entries = partitions.map((_, partition) =>
    Buffer.concat([int16(0), int32(partition), int32(1), list([int32(1)]), list([int32(1)])]),
  );
  return Buffer.concat([
    list([Buffer.concat([int32(1), string(self.host), int32(self.port), int16(-1)])]),
    int32(1),
    list([
      Buffer.concat([
        int16(isKnown ? 0 : UNKNOWN_TOPIC),
        string(asked),
        Buffer.alloc(1),
        list(isKnown ? entries : []),
      ]),
    ]),
  ]);
}

/** Of one partition: −2 is the oldest, everything else the end. */
function listOffsets(body: Buffer, { topic, partitions }: CannedBrokerOptions): Buffer {
  const at = body.length - 12;
  const partition = body.readInt32BE(at);
  const offset = body.readBigInt64BE(at + 4) === -2n ? 0 : (partitions[partition]?.endOffset ?? 0);
  const entry = Buffer.concat([int32(partition), int16(0), int64(-1), int64(offset)]);
  return list([Buffer.concat([string(topic), list([entry])])]);
}

function fetch(
  body: Buffer,
  { topic, partitions }: CannedBrokerOptions,
  send: (...parts: readonly Buffer[]) => void,
): void {
  const waitMs = body.readInt32BE(4);
  let room = body.readInt32BE(12);
  let at = 17 + 4;
  at += 2 + body.readInt16BE(at);
  const count = body.readInt32BE(at);
  at += 4;
  const entries: Buffer[] = [];
  let isEmpty = true;
  for (let index = 0; index < count; index++, at += 16) {
    const partition = body.readInt32BE(at);
    const offset = Number(body.readBigInt64BE(at + 4));
    const { endOffset = 0, read } = partitions[partition] ?? {};
    const isOut = offset > endOffset;
    const has = read !== undefined && offset < endOffset && room > 0;
    const records = has ? read(offset, Math.min(room, body.readInt32BE(at + 12))) : Buffer.alloc(0);
    room -= records.length;
    isEmpty &&= records.length === 0 && !isOut;
    const errorCode = isOut ? OFFSET_OUT_OF_RANGE : 0;
    entries.push(
      Buffer.concat([int32(partition), int16(errorCode), int64(endOffset), int64(endOffset), int32(0)]),
      int32(records.length),
      records,
    );
  }
  const answerNow = () => send(int32(0), int32(1), string(topic), int32(count), ...entries);
  if (isEmpty && waitMs > 0) setTimeout(answerNow, waitMs).unref();
  else answerNow();
}

/** A log of given batches. */
export function cannedLog(batches: readonly Buffer[]): CannedPartition {
  const lastOf = (batch: Buffer) => Number(batch.readBigInt64BE(0)) + batch.readInt32BE(23);
  return {
    endOffset: batches.reduce((end, batch) => Math.max(end, lastOf(batch) + 1), 0),
    read(offset, bytesMax) {
      const from = batches.findIndex((batch) => lastOf(batch) >= offset);
      let to = from + 1;
      let bytes = batches[from]?.length ?? 0;
      for (; to < batches.length; to++) {
        bytes += batches[to]?.length ?? 0;
        if (bytes > bytesMax) break;
      }
      return Buffer.concat(batches.slice(from, to));
    },
  };
}
