import { MillraceError } from "../model/errors.ts";

export interface ServerAddress {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/**
 * HOST:PORT of a loopback address, or `undefined` for `off`. Others are refused: whoever reaches the server can read
 * everything that it says, and there is no authentication.
 * @throws MillraceError ERR_MILLRACE_CONFIG
 */
export function parseServerAddress(text: string): ServerAddress | undefined {
  if (text === "off") return undefined;
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) {
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `${JSON.stringify(text)} is not an address of the API. Give HOST:PORT, for example 127.0.0.1:8080, or off.`,
    );
  }
  if (!isLoopback(host)) {
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `The API cannot be served on ${host}: it has no authentication yet, so only loopback addresses are allowed. ` +
        "Give 127.0.0.1, [::1] or localhost, and put a proxy that authenticates in front of it.",
    );
  }
  return { host, port };
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** Whether a Host header names this machine itself. Any other comes from a name that was pointed here (DNS rebinding). */
export function isLocalHostHeader(header: string | undefined): boolean {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(header ?? "");
  const host = match?.[1] ?? match?.[2];
  return host !== undefined && isLoopback(host.toLowerCase());
}
