import { createServer, type Server, type Socket } from "node:net";
import { WireConnection } from "./wire-connection.ts";
import type { WireRequest } from "./wire-request.ts";

/** A process that keeps more connections is not well. */
const CONNECTIONS_MAX = 1_700;

export interface WireServer {
  readonly server: Server;
  /** Takes no more calls, and hangs up on all that are open. Idempotent. */
  close(): void;
}

/** Listens to nothing yet. */
export function createWireServer(serve: (request: WireRequest) => void): WireServer {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    new WireConnection(socket, serve);
  });
  server.maxConnections = CONNECTIONS_MAX;
  return {
    server,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
