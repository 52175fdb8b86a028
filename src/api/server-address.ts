import { MillraceError } from "../model/errors.ts";

export interface ServerAddress {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/**
 * HOST:PORT, or `undefined` for `off`. An address that others reach is refused unless `isGuarded`: whoever reaches the
 * server could else read and change everything.
 * @throws MillraceError ERR_MILLRACE_CONFIG
 */
export function parseServerAddress(text: string, isGuarded = false): ServerAddress | undefined {
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
  if (!isGuarded && !isLoopback(host)) {
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `The API cannot be served on ${host} to whoever asks: without credentials only loopback addresses are allowed. ` +
        "Give 127.0.0.1, [::1] or localhost, or say who may use it with --api-credentials FILE.",
    );
  }
  return { host, port };
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** The name that a Host header gives, in lower case. `undefined`: none. */
export function hostName(header: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(header ?? "");
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}
