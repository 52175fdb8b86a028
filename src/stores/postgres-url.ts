import { parse } from "pg-connection-string";
import { MillraceError } from "../model/errors.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const PARAMETERS = [
  "application_name",
  "dbname",
  "host",
  "passfile",
  "password",
  "port",
  "sslcert",
  "sslkey",
  "sslmode",
  "sslrootcert",
  "user",
] as const;

/** libpq takes a URL with a user and without a host; `URL` does not. */
const NO_HOST = "no-host.invalid";

/** Each at most once. */
export type Parameters = ReadonlyMap<string, string>;

export function configFault(what: string): MillraceError {
  return new MillraceError("ERR_MILLRACE_CONFIG", `The postgres URL of --store is not valid: ${what}`);
}

/** The first that is there and not empty. */
export function first(...values: readonly (string | undefined)[]): string | undefined {
  return values.find((value) => value !== undefined && value !== "");
}

/** What a URL says itself; empty what it leaves out. */
export interface PostgresUrl {
  readonly user: string;
  readonly password: string;
  readonly host: string;
  readonly port: string;
  readonly database: string;
  readonly parameters: Parameters;
}

/**
 * Refuses what `pg-connection-string` would take: parameters that nobody knows, a `%` that begins nothing, signs of a
 * password that make it a host. It gets no parameters: it reads certificates' files itself, and knows `sslmode` by
 * other rules than libpq's.
 * @throws ERR_MILLRACE_CONFIG
 */
export function parsePostgresUrl(text: string): PostgresUrl {
  const url = wellFormed(text);
  const parameters = readParameters(url);
  url.search = "";
  // The library leaves signs like `/` encoded in the name of a database.
  const database = decoded(url.pathname.slice(1));
  const { user = "", password = "", host, port } = parse(url.href);
  return {
    ...{ user, password, database, parameters },
    host: host === NO_HOST ? "" : (host ?? ""),
    port: port ?? "",
  };
}

function wellFormed(text: string): URL {
  // An `@`, `/`, `?` or `#` of a password would make its beginning a host or a port, and messages would show it.
  const rest = text.replace(/^[a-z]+:\/\/[^/?#]*/, "");
  const whole = text.replace(/^([a-z]+:\/\/[^/?#]*@)(?=[/?]|$)/, `$1${NO_HOST}`);
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  if (url === undefined || rest.includes("@") || rest.includes("#"))
    throw configFault(
      "give postgres://USER:PASSWORD@HOST:PORT/DATABASE, with one host, and with the signs % @ : / ? # of a user or " +
        "password percent-encoded.",
    );
  for (const part of [url.username, url.password, url.hostname]) decoded(part);
  return url;
}

function readParameters(url: URL): Parameters {
  const parameters = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (!(PARAMETERS as readonly string[]).includes(name) || parameters.has(name)) {
      throw configFault(
        `its parameter ${JSON.stringify(name.slice(0, 80))} is not known or stands there twice. ` +
          `Remove it; known are ${PARAMETERS.join(", ")}.`,
      );
    }
    parameters.set(name, value);
  }
  return parameters;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw configFault("it has a % that begins no percent-encoding. Write %25 for it.");
  }
}
