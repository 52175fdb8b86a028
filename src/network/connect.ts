import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { WireError } from "./wire-error.ts";

/** Makes sockets, and says why one could not be made. Called back once, later. */
export type Connect = (made: (error: Error | undefined, socket: Socket | undefined) => void) => void;

/** Probes of TCP on a connection that nothing moves on: a host that is gone is noticed. */
const PROBED_AFTER_MS = 60_000;

/**
 * Sockets to one `http:` or `https:` origin, within `timeoutMs` each, name and TLS included. Certificates are verified,
 * and TLS goes on with the session of the socket before. No package does it here: undici's costs each process 30 MB.
 */
export function createConnect(origin: URL, timeoutMs: number): Connect {
  const host = origin.hostname.replace(/^\[(.*)\]$/, "$1");
  const isTls = origin.protocol === "https:";
  const port = Number(origin.port === "" ? (isTls ? 443 : 80) : origin.port);
  // A name alone can be asked for, no address.
  const named = isIP(host) === 0 ? { servername: host } : {};
  let session: Buffer | undefined;
  return (made) => {
    const kept = session === undefined ? {} : { session };
    const socket = isTls
      ? connectTls({ host, port, ...named, ...kept, ALPNProtocols: ["http/1.1"] })
      : connectTcp({ host, port });
    if (isTls) socket.on("session", (latest: Buffer) => (session = latest));
    socket.setKeepAlive(true, PROBED_AFTER_MS);
    socket.setNoDelay(true);
    const end = (error: Error | undefined) => {
      clearTimeout(timer);
      socket.off("error", end);
      socket.off("close", onClose);
      if (error === undefined) made(undefined, socket);
      else made(error, undefined);
    };
    const onClose = () => end(new WireError("ECONNRESET", "other side closed"));
    const timer = setTimeout(() => {
      end(new WireError("ETIMEDOUT", `no connection to ${host}:${port} within ${timeoutMs} ms`));
      // What comes of it now is nobody's.
      socket.on("error", () => {});
      socket.destroy();
    }, timeoutMs);
    socket.once("error", end);
    socket.once("close", onClose);
    socket.once(isTls ? "secureConnect" : "connect", () => end(undefined));
  };
}
