import { decodedBody } from "./body-text.ts";
import type { FrontAnswer, Header } from "./exchange.ts";
import { answerHeaders, headerText, isHeader } from "./wire-headers.ts";

/** A function's answer as JSON; `undefined`: it is none. An empty one is `null`. */
export function parsedAnswer(payload: Uint8Array): { readonly value: unknown } | undefined {
  if (payload.length === 0) return { value: null };
  try {
    return { value: JSON.parse(textOf(payload)) };
  } catch {
    return undefined;
  }
}

function textOf(payload: Uint8Array): string {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString();
}

export function isMembers(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A number, or a text of one. `undefined`: no status that a response can have. */
export function statusOf(value: unknown): number | undefined {
  const isNumber = typeof value === "number" || (typeof value === "string" && /^\d{3}$/.test(value));
  const status = isNumber ? Number(value) : Number.NaN;
  return Number.isInteger(status) && status >= 200 && status <= 599 ? status : undefined;
}

/** `headers` of an answer, in the order of its members. `undefined`: it is no map. */
export function headersOf(value: unknown): readonly Header[] | undefined {
  if (value === undefined || value === null) return [];
  if (!isMembers(value)) return undefined;
  return Object.entries(value).map(([name, member]) => [name, headerText(member)] as const);
}

/** `multiValueHeaders` of an answer. `undefined`: it is no map of lists. */
export function multiValueHeadersOf(value: unknown): readonly Header[] | undefined {
  if (value === undefined || value === null) return [];
  if (!isMembers(value)) return undefined;
  const headers: Header[] = [];
  for (const [name, members] of Object.entries(value)) {
    if (!Array.isArray(members)) return undefined;
    for (const member of members) headers.push([name, headerText(member)]);
  }
  return headers;
}

/** `undefined`: the headers cannot be sent. */
export function answerOf(
  status: number,
  headers: readonly Header[],
  body: FrontAnswer["body"],
  reason?: string,
): FrontAnswer | undefined {
  const kept = answerHeaders(headers);
  if (!kept.every(isHeader)) return undefined;
  return { status, headers: kept, body, ...(reason === undefined ? {} : { reason }) };
}

/** A body that is text, or Base64 of one that need not be. */
export function bodyOf(text: string, isBase64Encoded: boolean): FrontAnswer["body"] {
  return isBase64Encoded ? decodedBody(text) : text;
}
