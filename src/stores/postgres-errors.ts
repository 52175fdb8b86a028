import { MillraceError } from "../model/errors.ts";

/** What the server or the network said, as an error of the catalogue. No password is part of any of it. */
export function postgresError(place: string, error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  const fault = describeFault(error);
  const { remedy } = REMEDIES.find(({ pattern }) => pattern.test(fault)) ?? {
    remedy: "Check the server's log",
  };
  return new MillraceError(
    "ERR_MILLRACE_STORE_UNAVAILABLE",
    `The store ${place} could not be used: ${fault}. ${remedy}; it is tried again while millrace runs.`,
    { cause: error },
  );
}

/** SQLSTATE of an answer of the server. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  return /^[0-9A-Z]{5}$/.test(error.code) && "severity" in error ? error.code : undefined;
}

export function refusesTls(error: unknown): boolean {
  return error instanceof Error && /does not support SSL/.test(error.message);
}

export function notAStore(place: string, cause: unknown): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_STORE_CORRUPT",
    `The schema "millrace" of ${place} was not made by millrace. Name another database (--store postgres://…), or ` +
      "rename that schema.",
    { cause },
  );
}

export function newerFormat(place: string, version: number, versionMax: number): MillraceError {
  return new MillraceError(
    "ERR_MILLRACE_STORE_CORRUPT",
    `The store ${place} has format ${version}; this version of millrace reads formats up to ${versionMax}. Run the ` +
      "version of millrace that wrote it, or name another database (--store postgres://…).",
  );
}

const FAULT_CHARS_MAX = 500;

function describeFault(error: unknown): string {
  const state = sqlState(error);
  const text = messageOf(error).slice(0, FAULT_CHARS_MAX);
  return state === undefined ? text : `${text} (SQLSTATE ${state})`;
}

/** Node tells an error for each address that was tried, and no message for all. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "")
    return error.errors.map((each) => messageOf(each)).join(", ");
  if (error instanceof Error && error.message !== "") return error.message;
  return "an unknown error";
}

/** The first that fits. */
const REMEDIES: readonly { readonly pattern: RegExp; readonly remedy: string }[] = [
  {
    pattern: /SQLSTATE 28|password/i,
    remedy:
      "Check the user, and the password in the URL, PGPASSWORD or a passfile that only this user may read (mode 0600)",
  },
  { pattern: /SQLSTATE 3D000/, remedy: "Create the database, or name one that exists" },
  {
    pattern: /SQLSTATE 42501/,
    remedy:
      "Allow the user to create a schema in this database, or create a schema millrace that the user owns",
  },
  { pattern: /SQLSTATE 42P01|SQLSTATE 3F000/, remedy: "Start millrace anew, which makes its tables" },
  { pattern: /SQLSTATE 53300/, remedy: "Raise the server's max_connections, or run fewer processes" },
  { pattern: /SQLSTATE 53|SQLSTATE 58/, remedy: "Look after the server's disk and memory" },
  {
    pattern: /SQLSTATE (25006|57P0)/,
    remedy: "Wait until the server is up, and name the one that takes writes",
  },
  {
    pattern: /SQLSTATE (57014|55P03|40)|Query read timeout|turn timeout/,
    remedy: "Look for locks and load on the server",
  },
  {
    pattern: /SSL|certificate|self-signed|altname/i,
    remedy: "Check sslmode and sslrootcert, and what the server offers",
  },
  {
    pattern: /E[A-Z]{4,}|timeout|terminated|socket/,
    remedy: "Check that the server runs and that host, port and network are right",
  },
];
