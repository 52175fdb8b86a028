import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { ConnectionOptions } from "node:tls";
import { configFault, type Environment, first, type Parameters } from "./postgres-url.ts";

export type TlsSettings =
  | { readonly mode: "plain" }
  /** Encrypted when the server can, else plain: what libpq does when it is told nothing. */
  | { readonly mode: "preferred"; readonly options: ConnectionOptions }
  | { readonly mode: "required"; readonly options: ConnectionOptions };

const MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;
type Mode = (typeof MODES)[number];

/**
 * libpq's `sslmode`, `sslrootcert`, `sslcert` and `sslkey`, or `PGSSLMODE` and its siblings. Two differences, both to
 * the safe side: `allow` is `prefer`, and `verify-full` without a root certificate takes the authorities that Node
 * trusts, as libpq's `sslrootcert=system` does, which is understood too.
 */
export function readTlsSettings(parameters: Parameters, environment: Environment): TlsSettings {
  const given = (name: string) => first(parameters.get(name), environment[`PG${name.toUpperCase()}`]);
  const rootFile = given("sslrootcert");
  const isSystem = rootFile === "system";
  const mode = readMode(given("sslmode") ?? (isSystem ? "verify-full" : "prefer"));
  if (mode === "disable") return { mode: "plain" };
  if (isSystem && mode !== "verify-full") throw configFault("sslrootcert=system needs sslmode=verify-full.");
  const ca = isSystem ? undefined : readRoot(rootFile);
  if (mode === "verify-ca" && ca === undefined)
    throw configFault("sslmode=verify-ca needs sslrootcert=FILE, the certificate of the authority.");
  const cert = readNamedFile("sslcert", given("sslcert"));
  const key = readNamedFile("sslkey", given("sslkey"));
  const options: ConnectionOptions = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...identityCheck(mode, ca !== undefined),
  };
  const isPreferred = mode === "prefer" || mode === "allow";
  return { mode: isPreferred ? "preferred" : "required", options };
}

/**
 * libpq's rules: `require` checks the authority when a root certificate is there; only `verify-full` checks the name.
 */
function identityCheck(mode: Mode, hasRoot: boolean): ConnectionOptions {
  if (mode === "verify-full") return { rejectUnauthorized: true };
  const checksAuthority = mode === "verify-ca" || (mode === "require" && hasRoot);
  if (!checksAuthority) return { rejectUnauthorized: false };
  return { rejectUnauthorized: true, checkServerIdentity: () => undefined };
}

function readMode(text: string): Mode {
  const mode = MODES.find((known) => known === text);
  if (mode !== undefined) return mode;
  throw configFault(`its sslmode is none. Give one of ${MODES.join(", ")}.`);
}

function readRoot(file: string | undefined): Buffer | undefined {
  if (file !== undefined) return readNamedFile("sslrootcert", file);
  const usual = join(homedir(), ".postgresql", "root.crt");
  return existsSync(usual) ? readNamedFile("sslrootcert", usual) : undefined;
}

function readNamedFile(name: string, file: string | undefined): Buffer | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file);
  } catch {
    throw configFault(`the file of ${name}, ${file}, cannot be read. Name one that this process may read.`);
  }
}
