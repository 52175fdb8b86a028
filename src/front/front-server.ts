import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { limitConnections } from "../api/connection-limit.ts";
import type { ServerAddress } from "../api/server-address.ts";
import type { Clock } from "../ports/clock.ts";
import type { FrontTelemetry } from "../ports/front-telemetry.ts";
import type { FrontCertificate } from "./front-certificate.ts";
import { FrontDoor, type FrontDoorOptions } from "./front-door.ts";
import { FRONT_LIMITS, type FrontLimits } from "./front-limits.ts";
import { listening } from "./listening.ts";
import { SLOW } from "./request-body.ts";
import { isLastOfConnection } from "./send-answer.ts";
import { Turns } from "./turns.ts";

export interface FrontServerOptions extends Omit<FrontDoorOptions, "limits" | "isEncrypted"> {
  readonly address: ServerAddress;
  /** Absent: requests come without TLS. */
  readonly certificate?: FrontCertificate | undefined;
  /** Default: `FRONT_LIMITS`. */
  readonly limits?: FrontLimits;
}

export interface FrontServer {
  /** `http://127.0.0.1:8090`, or with `https`. */
  readonly url: string;
  /** Takes no more requests; resolves when those that run are answered, or the time is up. */
  drain(drainMs: number): Promise<void>;
  close(): Promise<void>;
}

const DRAIN_LOOK_MS = 20;

/**
 * Serves HTTP requests from outside by functions, apart from the API.
 * @throws MillraceError ERR_MILLRACE_CONFIG when the address is taken or cannot be used.
 */
export async function startFrontServer(options: FrontServerOptions): Promise<FrontServer> {
  const { limits = FRONT_LIMITS, address, certificate, clock, telemetry } = options;
  const door = new FrontDoor({ ...options, isEncrypted: certificate !== undefined, limits });
  const server = createServer({
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: limits.checkMs,
    keepAliveTimeout: limits.quietMs,
    // Missing ones are refused with the others.
    requireHostHeader: false,
  });
  // Those beyond the bound are refused, and not left out unsaid.
  server.maxHeadersCount = 0;
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  limitConnections(server, limits);
  serveInTurn(server, door, limits, telemetry);
  if (certificate !== undefined) encrypt(server, certificate, limits, clock);
  telemetry.watch(() => ({ connections: sockets.size, bytes: door.bytesHeld, requests: door.running }));
  await listening(server, address, "--front");
  const { port } = server.address() as AddressInfo;
  const { host } = address;
  return {
    url: `${certificate === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${port}`,
    drain: (drainMs) => drained(server, door, clock, drainMs),
    close: () => {
      door.close();
      return new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      });
    },
  };
}

/** Whoever looks after connections sees the encrypted ones. A handshake has as long as a request's headers. */
function encrypt(
  server: Server,
  certificate: FrontCertificate,
  { headersTimeoutMs }: FrontLimits,
  clock: Clock,
): void {
  const listeners = server.listeners("connection");
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    const secured = certificate.secured(socket);
    const late = clock.schedule(headersTimeoutMs, () => socket.destroy());
    for (const event of ["secure", "close"]) secured.once(event, () => late.cancel());
    for (const listener of listeners) listener.call(server, secured);
  });
}

function serveInTurn(
  server: Server,
  door: FrontDoor,
  { aheadMax }: FrontLimits,
  telemetry: FrontTelemetry,
): void {
  const turns = new Turns(aheadMax);
  /** What each connection sent last. */
  const newest = new WeakMap<Socket, ServerResponse>();
  const take = (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    newest.set(socket, response);
    response.once("close", () => {
      // What was sent behind a request that ends its connection is not looked at.
      // plant: what-stands-behind-a-refused-request-is-run
      if (isLastOfConnection(response)) turns.end(socket);
      turns.give(socket);
    });
    turns.take(socket, () => void door.serve(request, response));
  };
  server.on("request", take);
  // Whether a body is to be sent at all is said once its headers were looked at.
  server.on("checkContinue", take);
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error === SLOW) return;
    const [status, reason] = STATUS_OF_ERROR.get(error.code ?? "") ?? BAD_REQUEST;
    telemetry.refused(status === 408 ? "slow" : status === 431 ? "headers" : "malformed");
    const response = newest.get(socket);
    // The body of the request that has the turn cannot be read any further: the answer is to that one.
    const isOfBody = response?.req.complete === false && turns.isAlone(socket);
    // plant: what-follows-a-request-is-answered-in-its-place
    if (!isOfBody && !turns.end(socket)) return;
    const isUnsaid = !isOfBody || response?.headersSent === false;
    const head = `HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
    if (socket.writable && isUnsaid) socket.write(head);
    socket.destroySoon();
  });
}

const BAD_REQUEST = [400, "Bad Request"] as const;
const STATUS_OF_ERROR: ReadonlyMap<string, readonly [status: number, reason: string]> = new Map([
  ["ERR_HTTP_REQUEST_TIMEOUT", [408, "Request Timeout"]],
  ["HPE_HEADER_OVERFLOW", [431, "Request Header Fields Too Large"]],
]);

/** What is idle is closed at once. */
async function drained(server: Server, door: FrontDoor, clock: Clock, drainMs: number): Promise<void> {
  door.drain();
  server.close();
  server.closeIdleConnections();
  const endMs = clock.monotonic() + drainMs;
  while (door.running > 0 && clock.monotonic() < endMs) {
    await new Promise<void>((resolve) => void clock.schedule(DRAIN_LOOK_MS, resolve));
  }
}
