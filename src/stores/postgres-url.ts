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

/** @throws ERR_MILLRACE_CONFIG */
export function parsePostgresUrl(text: string): URL {
  // An `@`, `/`, `?` or `#` of a password would make its beginning a host or a port, and messages would show it.
  const rest = text.replace(/^[a-z]+:\/\/[^/?#]*/, "");
  const whole = text.replace(/^([a-z]+:\/\/[^/?#]*@)(?=[/?]|$)/, `$1${NO_HOST}`);
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  if (url === undefined || rest.includes("@") || rest.includes("#"))
    throw configFault(
      "give postgres://USER:PASSWORD@HOST:PORT/DATABASE, with one host, and with the signs % @ : / ? # of a user or " +
        "password percent-encoded.",
    );
  return url;
}

/** Empty when the URL leaves it out. */
export function hostOf({ hostname }: URL): string {
  return hostname === NO_HOST ? "" : decoded(hostname).replace(/^\[(.+)\]$/, "$1");
}

export function readParameters(url: URL): Parameters {
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

export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw configFault("it has a % that begins no percent-encoding. Write %25 for it.");
  }
}
