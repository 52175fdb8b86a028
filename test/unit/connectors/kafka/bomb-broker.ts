/**
 * A process of its own: a broker of the topic `bombs`, with one hostile batch between good records in each partition,
 * of which one has so many empty records; and two that announce a frame of 2 GB, before and behind the client's first
 * words, and go on to send it. Prints their ports, the names of the bombs, and the offset of the last record of each
 * partition.
 */
import type { Socket } from "node:net";
import { batchBytes } from "./batch-bytes.ts";
import { API, cannedLog, startCannedBroker } from "./canned-broker.ts";
import { int32 } from "./canned-bytes.ts";
import { hostileBatches } from "./hostile-batches.ts";

const EMPTY_RECORDS = 50_000;
const FRAME_BYTES = 0x7fff_fff0;
const PIECE = Buffer.alloc(1024 * 1024);

const bombs = hostileBatches(Number(process.argv[2] ?? EMPTY_RECORDS));
const logs = bombs.map(({ bytes, offsets }) =>
  cannedLog([
    batchBytes({ baseOffset: 0, records: [{ offset: 0, value: "before" }] }),
    bytes(1),
    batchBytes({ baseOffset: 1 + offsets, records: [{ offset: 1 + offsets, value: "behind" }] }),
  ]),
);
const broker = await startCannedBroker({ topic: "bombs", partitions: logs });
const framePorts = await Promise.all([API.apiVersions, API.metadata].map(startFrameBroker));
process.stdout.write(
  `${JSON.stringify({
    port: broker.port,
    framePorts,
    names: bombs.map(({ name }) => name),
    last: bombs.map(({ offsets }) => 1 + offsets),
  })}\n`,
);

async function startFrameBroker(apiKey: number): Promise<number> {
  const { port } = await startCannedBroker({
    topic: "bombs",
    partitions: [cannedLog([])],
    hijack: (key, socket, correlationId) => {
      if (key !== apiKey) return false;
      socket.write(Buffer.concat([int32(FRAME_BYTES), int32(correlationId)]));
      sendWithoutEnd(socket);
      return true;
    },
  });
  return port;
}

function sendWithoutEnd(socket: Socket): void {
  const send = () => {
    while (!socket.destroyed && socket.write(PIECE));
  };
  socket.on("drain", send);
  send();
}
