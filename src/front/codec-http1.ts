import {
  answerOf,
  bodyOf,
  headersOf,
  isMembers,
  multiValueHeadersOf,
  parsedAnswer,
  statusOf,
} from "./answer-members.ts";
import { eventBody } from "./body-text.ts";
import { httpApiFailed } from "./codec-http2.ts";
import { BODY_BYTES_MAX, type Codec, type Exchange, type FrontAnswer } from "./exchange.ts";
import { payload1Event } from "./payload-1.ts";
import { withDefault } from "./wire-headers.ts";

/** API Gateway's wait for a function behind an HTTP API. */
const WAIT_MS_MAX = 30_000;

/** API Gateway's HTTP API with payload format 1.0 (invocation §13.2). */
export const http1Codec: Codec = {
  bodyBytesMax: BODY_BYTES_MAX,
  waitMsMax: WAIT_MS_MAX,
  event: http1Event,
  answer: http1Answer,
  failed: httpApiFailed,
};

export function http1Event(exchange: Exchange) {
  const { rawPath, headers, body } = exchange.request;
  const given = body.length === 0 ? { body: null, isBase64Encoded: false } : eventBody(exchange.request);
  const context = { authorizer: { claims: null, scopes: null }, resourceId: null };
  const parts = { path: rawPath, wholePath: rawPath, headers, ...given, context };
  return { version: "1.0" as const, ...payload1Event(exchange, parts) };
}

function http1Answer(payload: Uint8Array): FrontAnswer | undefined {
  const value = parsedAnswer(payload)?.value;
  if (!isMembers(value)) return undefined;
  const status = statusOf(value["statusCode"]);
  const single = headersOf(value["headers"]);
  const multi = multiValueHeadersOf(value["multiValueHeaders"]);
  if (status === undefined || single === undefined || multi === undefined) return undefined;
  const names = new Set(multi.map(([name]) => name.toLowerCase()));
  const headers = [...multi, ...single.filter(([name]) => !names.has(name.toLowerCase()))];
  const { body = "", isBase64Encoded } = value;
  const text = typeof body === "string" ? body : body === null ? "" : JSON.stringify(body);
  const sent = bodyOf(text, isBase64Encoded === true);
  return answerOf(status, withDefault(headers, "content-type", "text/plain; charset=utf-8"), sent);
}
