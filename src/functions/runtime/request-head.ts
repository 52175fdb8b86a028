/** What stands before the body of a request, and all of what stands behind one. */
export const HEAD_BYTES_MAX = 16 * 1024;
const HEADERS_MAX = 100;

const REQUEST_LINE = /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (\/[\x21-\x7e]{0,8191}) HTTP\/1\.([01])$/;
const HEADER_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/;
const LENGTH = /^\d{1,15}$/;

export interface RequestHead {
  readonly method: string;
  /** Without what stands behind a question mark. */
  readonly path: string;
  /** Names in lower case; of several of one name the first. */
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes, or in chunks. */
  readonly body: number | "chunked";
  /** The connection is used for another request. */
  readonly isKept: boolean;
  /** The body comes when it is asked for. */
  readonly waits: boolean;
}

/** It is no request that could be understood in one way alone: with this it is answered, and hung up on. */
export interface HeadFault {
  readonly faultStatus: number;
}

const MALFORMED: HeadFault = { faultStatus: 400 };

/**
 * Reads a request's head by HTTP/1.1 (RFC 9112), strictly. `text`: its lines as Latin-1, without the empty one behind
 * them.
 */
export function readRequestHead(text: string): RequestHead | HeadFault {
  const lines = text.split("\r\n");
  const line = REQUEST_LINE.exec(lines[0] ?? "");
  if (line === null) return MALFORMED;
  const [, method = "", target = "", minor] = line;
  const headers = readHeaders(lines, 1);
  if (headers === undefined) return MALFORMED;
  const body = bodyOf(headers, minor);
  if (typeof body === "object") return body;
  const expected = headers.get("expect")?.toLowerCase();
  if (expected !== undefined && expected !== "100-continue") return { faultStatus: 417 };
  const query = target.indexOf("?");
  const connection = headers.get("connection")?.toLowerCase();
  return {
    method,
    path: query < 0 ? target : target.slice(0, query),
    headers,
    body,
    isKept: minor === "1" && connection !== "close",
    waits: expected !== undefined && minor === "1",
  };
}

/** `undefined`: they are malformed, too many, or say the body's length twice. */
export function readHeaders(
  lines: readonly string[],
  first: number,
): ReadonlyMap<string, string> | undefined {
  const headers = new Map<string, string>();
  if (lines.length - first > HEADERS_MAX) return undefined;
  for (let index = first; index < lines.length; index++) {
    const header = HEADER_LINE.exec(lines[index] ?? "");
    if (header === null) return undefined;
    const name = (header[1] ?? "").toLowerCase();
    if (!headers.has(name)) headers.set(name, (header[2] ?? "").trimEnd());
    else if (name === "content-length" || name === "transfer-encoding") return undefined;
  }
  return headers;
}

function bodyOf(headers: ReadonlyMap<string, string>, minor = ""): number | "chunked" | HeadFault {
  const length = headers.get("content-length");
  const coding = headers.get("transfer-encoding");
  if (coding === undefined) {
    if (length === undefined) return 0;
    return LENGTH.test(length) ? Number(length) : MALFORMED;
  }
  // Two lengths of one body: whoever stands between two readers could hide a request in it.
  if (length !== undefined || minor !== "1") return MALFORMED;
  return coding.toLowerCase() === "chunked" ? "chunked" : { faultStatus: 501 };
}
