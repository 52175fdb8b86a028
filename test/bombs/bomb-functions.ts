import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a hostile function does with its answer to a record that names it. */
const HOSTILE = {
  "6 MB in pieces of one byte": (response: ServerResponse) => {
    const pieces = Buffer.from("1\r\n1\r\n".repeat(100_000));
    return sendRaw(response, "Transfer-Encoding: chunked\r\n\r\n", pieces, 60, Buffer.from("0\r\n\r\n"));
  },
  "pieces of one byte without end": (response: ServerResponse) => {
    const pieces = Buffer.from("1\r\n1\r\n".repeat(100_000));
    return sendRaw(response, "Transfer-Encoding: chunked\r\n\r\n", pieces, Number.POSITIVE_INFINITY);
  },
  "a body without end": (response: ServerResponse) => {
    const pieces = Buffer.from(`10000\r\n${"x".repeat(0x10000)}\r\n`);
    return sendRaw(response, "Transfer-Encoding: chunked\r\n\r\n", pieces, Number.POSITIVE_INFINITY);
  },
  "6 MB of brackets in brackets": (response: ServerResponse) => {
    const body = Buffer.from("[".repeat(3_000_000) + "]".repeat(3_000_000));
    return sendRaw(response, `Content-Length: ${body.length}\r\n\r\n`, body, 1);
  },
  "headers without end": (response: ServerResponse) => {
    const pieces = Buffer.from(`X-A: ${"y".repeat(1_000)}\r\n`.repeat(100));
    return sendRaw(response, "", pieces, Number.POSITIVE_INFINITY);
  },
} as const;

export const HOSTILE_ANSWERS: readonly string[] = Object.keys(HOSTILE);

function sendRaw(
  { socket }: ServerResponse,
  head: string,
  piece: Buffer,
  pieces: number,
  tail?: Buffer,
): void {
  if (socket === null) return;
  let left = pieces;
  socket.write(`HTTP/1.1 200 OK\r\n${head}`);
  const send = () => {
    while (left > 0 && !socket.destroyed) {
      left--;
      if (!socket.write(piece)) return;
    }
    if (left !== 0) return;
    left = -1;
    if (tail !== undefined) socket.write(tail);
  };
  socket.on("drain", send);
  send();
}

/**
 * A record that a function got: of Kafka its partition and offset, `3/0`; of others the beginning of its partition key.
 */
export type Delivered = (mapping: string, name: string) => void;

export interface BombFunctions {
  readonly url: string;
  close(): void;
}

const NAME_CHARS_MAX = 40;

interface KafkaRecord {
  readonly partition: number;
  readonly offset: number;
}
interface KinesisRecord {
  readonly kinesis: { readonly partitionKey: string };
}

/**
 * Functions by their paths: each tells what it got; `hostile` answers records whose key names a hostile answer with
 * that.
 */
export async function startBombFunctions(onRecord: Delivered): Promise<BombFunctions> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const mapping = (request.url ?? "").slice(1);
      const hostile = HOSTILE[tell(mapping, Buffer.concat(chunks), onRecord) as keyof typeof HOSTILE];
      if (hostile === undefined) response.end("null");
      else hostile(response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Gives the name of the last record. */
function tell(mapping: string, body: Buffer, onRecord: Delivered): string {
  const { records, Records }: KafkaOrKinesisEvent = JSON.parse(body.toString());
  for (const { partition, offset } of Object.values(records ?? {}).flat()) {
    onRecord(mapping, `${partition}/${offset}`);
  }
  let name = "";
  for (const { kinesis } of Records ?? []) {
    [name = ""] = kinesis.partitionKey.slice(0, NAME_CHARS_MAX).split("~");
    onRecord(mapping, name);
  }
  return name;
}

interface KafkaOrKinesisEvent {
  readonly records?: Readonly<Record<string, readonly KafkaRecord[]>>;
  readonly Records?: readonly KinesisRecord[];
}
