import { userInfo } from "node:os";
import { createPasswordSource, type PasswordSource } from "./postgres-password.ts";
import { readTlsSettings, type TlsSettings } from "./postgres-tls.ts";
import { configFault, type Environment, first, parsePostgresUrl } from "./postgres-url.ts";

/** How to reach a database. */
export interface PostgresSettings {
  /** `postgres://db.example:5432/millrace`: for messages, without user, password and parameters. */
  readonly place: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly applicationName: string | undefined;
  readonly password: PasswordSource;
  readonly tls: TlsSettings;
}

/**
 * Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…`. What the URL leaves out comes from libpq's environment
 * variables (`PGHOST`, `PGPASSWORD`, `PGSSLMODE` …), then from libpq's defaults, but that the default host is
 * `localhost`.
 * @throws MillraceError ERR_MILLRACE_CONFIG, which never quotes the URL: its password would be quoted with it.
 */
export function readPostgresSettings(text: string, environment: Environment): PostgresSettings {
  const url = parsePostgresUrl(text);
  const { parameters } = url;
  const given = (name: string, ofUrl: string, variable: string) =>
    first(parameters.get(name), ofUrl, environment[variable]);
  const host = given("host", url.host, "PGHOST") ?? "localhost";
  const port = readPort(given("port", url.port, "PGPORT") ?? "5432");
  const user = given("user", url.user, "PGUSER") ?? ownName();
  const database = given("dbname", url.database, "PGDATABASE") ?? user;
  const isSocket = host.startsWith("/");
  return {
    place: isSocket ? `postgres database ${database} at ${host}` : `postgres://${host}:${port}/${database}`,
    host,
    port,
    user,
    database,
    applicationName: first(parameters.get("application_name"), environment["PGAPPNAME"]),
    password: createPasswordSource({
      given: given("password", url.password, "PGPASSWORD"),
      file: first(parameters.get("passfile"), environment["PGPASSFILE"]),
      // libpq's rule: an entry for the server's own socket says `localhost`.
      entry: { host: isSocket ? "localhost" : host, port: String(port), database, user },
    }),
    // A socket of this host is not encrypted, whatever sslmode says, as in libpq.
    tls: isSocket ? { mode: "plain" } : readTlsSettings(parameters, environment),
  };
}

/** A container may run as a user that has no name. */
function ownName(): string {
  try {
    return userInfo().username;
  } catch {
    throw configFault(
      "it has no user, and this process's own has no name. Name one in the URL or in PGUSER.",
    );
  }
}

function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw configFault("its port is none. Give a number from 1 to 65535.");
  return port;
}
