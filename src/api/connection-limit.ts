import { readFileSync } from "node:fs";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

export interface ConnectionLimits {
  /** Connections at once. */
  readonly connectionsMax: number;
  /** How long a connection may say nothing before its first request, and between two. */
  readonly quietMs: number;
}

const CONNECTIONS_MAX = 512;
const QUIET_MS = 5_000;
/** Share of the process's descriptors that the API may use: the rest is for sources, stores and functions. */
const DESCRIPTOR_SHARE = 1 / 4;
const CONNECTIONS_MIN = 16;

export function connectionLimits(): ConnectionLimits {
  const descriptors = descriptorsMax();
  const share = descriptors === undefined ? CONNECTIONS_MAX : Math.floor(descriptors * DESCRIPTOR_SHARE);
  return { connectionsMax: Math.max(CONNECTIONS_MIN, Math.min(CONNECTIONS_MAX, share)), quietMs: QUIET_MS };
}

/**
 * Keeps a server answerable: whoever connects is taken, and where there are too many the one that has said nothing
 * whole for longest has to go. So a flood of connections that ask nothing cannot silence health, whose requests are
 * short.
 */
export function limitConnections(server: Server, { connectionsMax, quietMs }: ConnectionLimits): void {
  /** In the order in which they fell quiet: connections without a request, or with one that is not there whole. */
  const quiet = new Set<Socket>();
  const all = new Set<Socket>();
  const falls = (socket: Socket) => {
    quiet.delete(socket);
    if (all.has(socket)) quiet.add(socket);
  };
  server.on("connection", (socket: Socket) => {
    all.add(socket);
    quiet.add(socket);
    socket.setTimeout(quietMs, () => {
      if (quiet.has(socket)) socket.destroy();
    });
    socket.once("close", () => {
      all.delete(socket);
      quiet.delete(socket);
    });
    if (all.size <= connectionsMax) return;
    const [longest = socket] = quiet;
    longest.destroy();
  });
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const speaks = () => {
      quiet.delete(socket);
      // A call may run for minutes without a word on its connection.
      socket.setTimeout(0);
    };
    if (hasBody(request)) request.once("end", speaks);
    else speaks();
    response.once("close", () => falls(socket));
  });
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** The soft limit of open files; `undefined` where the system does not say. */
function descriptorsMax(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
