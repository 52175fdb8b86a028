/** The longest head of an answer, with its status line. */
export const HEAD_BYTES_MAX = 16 * 1024;

export interface WireHead {
  readonly status: number;
  /** Names in lower case; of those that stand more than once the first. */
  readonly headers: ReadonlyMap<string, string>;
  /** Its length in bytes, chunks, or what comes until the server hangs up. */
  readonly body: number | "chunked" | "rest";
  /** The connection may carry another request. */
  readonly isKept: boolean;
  /** For how long the server keeps it idle, by its own word. */
  readonly keptMs: number | undefined;
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** What neither a value that comes nor one that is sent may hold. */
const NO_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const LENGTH = /^\d{1,15}$/;
const OUTER_BLANKS = /^[ \t]+|[ \t]+$/g;

/** Whether a header may have it: nothing that could be read as the next header. */
export function isHeaderValue(text: string): boolean {
  return !NO_VALUE.test(text);
}

/**
 * `text`: Latin-1, without the empty line at its end. `undefined`: it is none, or it could be read in two ways, as by
 * two lengths, a length beside chunks, a bare line feed or a continued line.
 */
export function readWireHead(text: string): WireHead | undefined {
  const lines = text.split("\r\n");
  const [, minor, digits] = STATUS_LINE.exec(lines[0] ?? "") ?? [];
  if (digits === undefined) return undefined;
  const headers = readFields(lines, 1);
  if (headers === undefined) return undefined;
  const status = Number(digits);
  const body = bodyOf(status, headers);
  if (body === undefined) return undefined;
  const isKept = body !== "rest" && keeps(headers.get("connection"), minor === "1");
  return { status, headers, body, isKept, keptMs: keptMsOf(headers.get("keep-alive")) };
}

/** Headers or trailers, by their names in lower case. `undefined`: a line is none, or says the body's length again. */
export function readFields(lines: readonly string[], first: number): ReadonlyMap<string, string> | undefined {
  const fields = new Map<string, string>();
  for (let index = first; index < lines.length; index++) {
    const line = lines[index] ?? "";
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).replace(OUTER_BLANKS, "");
    if (colon < 1 || !NAME.test(name) || NO_VALUE.test(value)) return undefined;
    if (!fields.has(name)) fields.set(name, value);
    else if (name === "content-length" || name === "transfer-encoding") return undefined;
  }
  return fields;
}

function bodyOf(status: number, headers: ReadonlyMap<string, string>): WireHead["body"] | undefined {
  const length = headers.get("content-length");
  const coding = headers.get("transfer-encoding");
  if (length !== undefined && (coding !== undefined || !LENGTH.test(length))) return undefined;
  if (coding !== undefined && coding.toLowerCase() !== "chunked") return undefined;
  if (status < 200 || status === 204 || status === 304) return 0;
  if (coding !== undefined) return "chunked";
  return length === undefined ? "rest" : Number(length);
}

function keeps(connection: string | undefined, isLatest: boolean): boolean {
  if (connection === undefined) return isLatest;
  const words = connection.toLowerCase().split(/[ \t]*,[ \t]*/);
  return isLatest ? !words.includes("close") : words.includes("keep-alive") && !words.includes("close");
}

function keptMsOf(keepAlive: string | undefined): number | undefined {
  const seconds = keepAlive === undefined ? undefined : /timeout=(\d{1,9})/.exec(keepAlive)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}
