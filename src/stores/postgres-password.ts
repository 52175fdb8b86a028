import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Gives the password for one new connection; empty when none is known. So a passfile may change while millrace runs.
 */
export type PasswordSource = () => Promise<string>;

interface PassfileEntry {
  readonly host: string;
  readonly port: string;
  readonly database: string;
  readonly user: string;
}

const PASSFILE_BYTES_MAX = 1024 * 1024;
const GROUP_AND_OTHERS = 0o077;

/** In libpq's order: what the URL or `PGPASSWORD` gives, else the passfile, by default `~/.pgpass`. */
export function createPasswordSource(options: {
  readonly given: string | undefined;
  readonly file: string | undefined;
  readonly entry: PassfileEntry;
}): PasswordSource {
  const { given, file = join(homedir(), ".pgpass"), entry } = options;
  if (given !== undefined) return async () => given;
  return async () => findPassword(await readPassfile(file), entry) ?? "";
}

/** Nothing for a file that is missing, or that others may read: libpq does not trust such a file either. */
async function readPassfile(path: string): Promise<string> {
  try {
    const { mode, size } = await stat(path);
    const isOpen = process.platform !== "win32" && (mode & GROUP_AND_OTHERS) !== 0;
    return isOpen || size > PASSFILE_BYTES_MAX ? "" : await readFile(path, "utf8");
  } catch {
    return "";
  }
}

/**
 * Lines `host:port:database:user:password`; `*` matches all, a backslash escapes `:` and itself; the first that fits.
 * By hand, as `pgpass` takes another line than libpq (decision 0034).
 */
export function findPassword(text: string, entry: PassfileEntry): string | undefined {
  const wanted = [entry.host, entry.port, entry.database, entry.user];
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("#")) continue;
    const fields = splitFields(line);
    const password = fields[wanted.length];
    const fits = wanted.every((value, index) => fields[index] === "*" || fields[index] === value);
    if (fits && password !== undefined && password !== "") return password;
  }
  return undefined;
}

function splitFields(line: string): readonly string[] {
  const fields = [""];
  for (let index = 0; index < line.length; index++) {
    const sign = line.charAt(index);
    if (sign === ":" && fields.length < 5) fields.push("");
    else if (sign === "\\" && index + 1 < line.length) fields.push(`${fields.pop()}${line.charAt(++index)}`);
    else fields.push(`${fields.pop()}${sign}`);
  }
  return fields;
}
