import { createServer, type Socket } from "node:net";

/** A raw TCP server: what happens to a connection is up to the test. */
export interface ScriptedServer {
  readonly url: string;
  /** Connections accepted so far. */
  readonly connections: number;
  /** Whole requests received so far. */
  readonly requests: number;
  close(): Promise<void>;
}

/** `answer` is called for each whole request of a connection, counted from 1 over all connections. */
export async function startScriptedServer(
  answer: (socket: Socket, request: string, count: number) => void,
): Promise<ScriptedServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let requests = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      for (;;) {
        const length = wholeRequestLength(received);
        if (length === undefined) break;
        const request = received.slice(0, length);
        received = received.slice(length);
        requests += 1;
        answer(socket, request, requests);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/invoke?x=1`,
    get connections() {
      return connections;
    },
    get requests() {
      return requests;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function wholeRequestLength(received: string): number | undefined {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const length = headEnd + 4 + Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0);
  return received.length >= length ? length : undefined;
}

export const OK = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnull";
