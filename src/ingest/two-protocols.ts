import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import {
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2";
import type { Socket } from "node:net";

export type AnyRequest = IncomingMessage | Http2ServerRequest;
export type AnyResponse = ServerResponse | Http2ServerResponse;

export interface ProtocolLimits {
  readonly headerBytesMax: number;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly checkMs: number;
  /** How long a connection of HTTP/2 may say nothing. */
  readonly quietMs: number;
}

/** Requests of one connection at once. */
const STREAMS_MAX = 100;
/** In megabytes: what one connection of HTTP/2 may hold besides bodies that are being read. */
const SESSION_MEMORY_MAX = 4;
const PREFACE = Buffer.from("PRI");

/**
 * A server of HTTP/1.1 and of HTTP/2 without TLS on one address: JavaScript's client of Kinesis begins with HTTP/2
 * without asking, the others with HTTP/1.1. The first bytes of a connection tell which.
 */
export function createTwoProtocolServer(
  limits: ProtocolLimits,
  handle: (request: AnyRequest, response: AnyResponse) => void,
): Server {
  const { headerBytesMax, headersTimeoutMs, requestTimeoutMs, checkMs, quietMs } = limits;
  const server = createServer(
    {
      maxHeaderSize: headerBytesMax,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: checkMs,
    },
    handle,
  );
  const http2 = createHttp2Server(
    {
      maxSessionMemory: SESSION_MEMORY_MAX,
      settings: { enablePush: false, maxConcurrentStreams: STREAMS_MAX, maxHeaderListSize: headerBytesMax },
    },
    handle,
  );
  http2.on("session", (session) => {
    session.setTimeout(quietMs, () => session.destroy());
    session.on("error", () => session.destroy());
  });
  // Clients that break the protocol cost their connection.
  http2.on("sessionError", () => undefined);
  const [speakHttp1] = server.listeners("connection");
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    socket.on("error", () => socket.destroy());
    whenKnown(socket, (isHttp2) => {
      if (isHttp2) {
        // Its session has a time-out of its own.
        socket.setTimeout(0);
        http2.emit("connection", socket);
      } else speakHttp1?.call(server, socket);
    });
  });
  return server;
}

/** No method of HTTP/1.1 begins as HTTP/2's preface does. */
function whenKnown(socket: Socket, tell: (isHttp2: boolean) => void): void {
  let seen = Buffer.alloc(0);
  const look = () => {
    const chunk: unknown = socket.read();
    if (Buffer.isBuffer(chunk)) seen = Buffer.concat([seen, chunk]);
    if (seen.length < PREFACE.length) {
      if (!socket.readableEnded && !socket.destroyed) socket.once("readable", look);
      return;
    }
    socket.unshift(seen);
    tell(seen.subarray(0, PREFACE.length).equals(PREFACE));
  };
  look();
}
