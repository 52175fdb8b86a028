import type { Socket } from "node:net";
import { buildConnector } from "undici";

/** Makes sockets, and says why one could not be made. */
export type Connect = (made: (error: Error | null, socket?: Socket | null) => void) => void;

/** TLS, addresses, time-outs and sessions are undici's. `origin`: `http:` or `https:`. */
export function createConnect(origin: URL, timeoutMs: number): Connect {
  const connector = buildConnector({ timeout: timeoutMs, allowH2: false });
  const { protocol, host, port } = origin;
  const hostname = origin.hostname.replace(/^\[(.*)\]$/, "$1");
  return (made) => connector({ protocol, host, hostname, port }, made);
}
