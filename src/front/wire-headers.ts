import type { Header } from "./exchange.ts";

/** Headers that are of one connection and not of the message (RFC 9110, 7.6.1). */
const OF_CONNECTION: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** What of these is the message's own: without the connection's, and without those that `connection` names. */
export function ownHeaders(headers: readonly Header[]): readonly Header[] {
  const lower = headers.map(([name]) => name.toLowerCase());
  let named: readonly string[] = [];
  for (const [index, [, value]] of headers.entries()) {
    if (lower[index] !== "connection") continue;
    named = [...named, ...value.split(",").map((each) => each.trim().toLowerCase())];
  }
  return headers.filter((_, index) => {
    const name = lower[index] ?? "";
    return !OF_CONNECTION.has(name) && !named.includes(name);
  });
}

/**
 * What a function's answer may say in its head. The length is the server's to say: a function that says another one
 * would cut the next response of the connection.
 */
export function answerHeaders(headers: readonly Header[]): readonly Header[] {
  // plant: a-function-says-how-long-its-response-is
  return ownHeaders(headers).filter(([name]) => name.toLowerCase() !== "content-length");
}

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;

/** Nothing in it ends the header, or stands for more than itself. */
export function isHeader([name, value]: Header): boolean {
  // plant: a-function-splits-its-response
  return NAME.test(name) && isFieldValue(value);
}

export function isFieldValue(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || code > 0xff) return false;
  }
  return true;
}

/** The last value that a header has, by its name in lower case. */
export function headerValue(headers: readonly Header[], lowerName: string): string | undefined {
  return headers.findLast(([name]) => name.toLowerCase() === lowerName)?.[1];
}

/** With a default, where none of them has the name. */
export function withDefault(headers: readonly Header[], name: string, value: string): readonly Header[] {
  return headerValue(headers, name.toLowerCase()) === undefined ? [[name, value], ...headers] : headers;
}

/** As AWS's fronts write values that are no text: lists and maps as Java does. */
export function headerText(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return `[${value.map(headerText).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  const members = Object.entries(value).map(([name, member]) => `${name}=${headerText(member)}`);
  return `{${members.join(", ")}}`;
}
