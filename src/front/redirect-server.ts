import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { limitConnections } from "../api/connection-limit.ts";
import type { ServerAddress } from "../api/server-address.ts";
import type { FrontLimits } from "./front-limits.ts";
import { listening } from "./listening.ts";
import { wireFault } from "./wire-request.ts";

export interface RedirectServer {
  /** `http://127.0.0.1:8090` */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Sends who comes without TLS to the address with it: 308, which keeps the method and has the client send its body
 * there. No function sees such a request.
 * @throws MillraceError ERR_MILLRACE_CONFIG when the address is taken or cannot be used.
 */
export async function startRedirectServer(
  address: ServerAddress,
  portOfTls: number,
  limits: FrontLimits,
): Promise<RedirectServer> {
  const server = createServer({
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: limits.checkMs,
    requireHostHeader: false,
  });
  server.maxHeadersCount = 0;
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  limitConnections(server, limits);
  const answer = (request: IncomingMessage, response: ServerResponse) =>
    redirect(request, response, portOfTls, limits);
  server.on("request", answer);
  // A body that waits for a word is not sent here at all.
  server.on("checkContinue", answer);
  await listening(server, address, "--front-redirect");
  const { port } = server.address() as AddressInfo;
  const { host } = address;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function redirect(
  request: IncomingMessage,
  response: ServerResponse,
  port: number,
  limits: FrontLimits,
): void {
  const fault = wireFault(request, limits);
  response.sendDate = false;
  // Whatever of a body follows is not read.
  response.shouldKeepAlive = false;
  if (fault !== undefined) {
    response.writeHead(fault.status, { "content-length": "0" }).end();
    return;
  }
  const host = (request.headers.host ?? "").replace(/:\d+$/, "");
  const location = `https://${host}${port === 443 ? "" : `:${port}`}${request.url}`;
  response.writeHead(308, { location, "content-length": "0" }).end();
}
