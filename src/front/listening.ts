import type { Server } from "node:http";
import type { ServerAddress } from "../api/server-address.ts";
import { describeError, MillraceError } from "../model/errors.ts";

/** @throws MillraceError ERR_MILLRACE_CONFIG that names `flag`, when the address is taken or cannot be used. */
export function listening(server: Server, { host, port }: ServerAddress, flag: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === "EADDRINUSE"
          ? "another process listens there"
          : `it cannot be used: ${describeError(error)}`;
      const message = `HTTP requests cannot be served on ${host}:${port}: ${reason}. Give another address with ${flag} HOST:PORT.`;
      reject(new MillraceError("ERR_MILLRACE_CONFIG", message, { cause: error }));
    });
    server.listen(port, host, () => resolve());
  });
}
