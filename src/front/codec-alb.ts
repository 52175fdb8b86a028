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
import type { Codec, Exchange, Failure, FrontAnswer } from "./exchange.ts";
import { allValues, lastValues, queryPairs } from "./query.ts";
import { headerValue, isFieldValue } from "./wire-headers.ts";

/** A load balancer's bound of bodies, in and out. */
const ALB_BODY_BYTES_MAX = 1024 * 1024;
const REASON_CHARS_MAX = 128;

/** A function as the target of a load balancer, with `headers` (invocation §13.4). */
export const albCodec: Codec = albCodecOf(false);

/** As `albCodec`, with `lambda.multi_value_headers.enabled`: other keys, in the answer too. */
export const albMultiCodec: Codec = albCodecOf(true);

function albCodecOf(isMulti: boolean): Codec {
  return {
    bodyBytesMax: ALB_BODY_BYTES_MAX,
    event: (exchange) => (isMulti ? albMultiEvent(exchange) : albEvent(exchange)),
    answer: (payload) => albAnswer(payload, isMulti),
    failed,
  };
}

export function albEvent(exchange: Exchange) {
  const { headers, query } = partsOf(exchange);
  const values = { queryStringParameters: lastValues(query), headers: lastValues(headers) };
  return eventWith(exchange, values);
}

export function albMultiEvent(exchange: Exchange) {
  const { headers, query } = partsOf(exchange);
  const values = { multiValueQueryStringParameters: allValues(query), multiValueHeaders: allValues(headers) };
  return eventWith(exchange, values);
}

/** Values of the query stay as they came. */
function partsOf({ request }: Exchange) {
  const headers = request.headers.map(([name, value]) => [name.toLowerCase(), value] as const);
  return { headers, query: queryPairs(request.rawQuery, false) };
}

function eventWith<Values extends object>({ request, route, place }: Exchange, values: Values) {
  const { region, account } = place;
  const group = `targetgroup/${route.name}/${route.groupId}`;
  return {
    requestContext: {
      elb: { targetGroupArn: `arn:aws:elasticloadbalancing:${region}:${account}:${group}` },
    },
    httpMethod: request.method,
    path: request.rawPath,
    ...values,
    ...(request.body.length === 0 ? { body: "", isBase64Encoded: false } : eventBody(request)),
  };
}

function albAnswer(payload: Uint8Array, isMulti: boolean): FrontAnswer | undefined {
  const value = parsedAnswer(payload)?.value;
  if (!isMembers(value)) return undefined;
  const { statusCode, statusDescription, body, isBase64Encoded } = value;
  const status = typeof statusCode === "number" ? statusOf(statusCode) : undefined;
  const headers = isMulti ? multiValueHeadersOf(value["multiValueHeaders"]) : headersOf(value["headers"]);
  const isText = body === undefined || body === null || typeof body === "string";
  if (status === undefined || headers === undefined || !isText) return undefined;
  const sent = bodyOf(body ?? "", isBase64Encoded === true);
  if (Buffer.byteLength(sent) > ALB_BODY_BYTES_MAX) return undefined;
  const typed = headerValue(headers, "content-type") === undefined && sent.length > 0;
  const all = typed ? [...headers, ["content-type", "application/octet-stream"] as const] : headers;
  return answerOf(status, all, sent, reasonOf(statusDescription, status));
}

/** `200 OK` says `OK`. */
function reasonOf(description: unknown, status: number): string | undefined {
  if (typeof description !== "string" || !description.startsWith(`${status} `)) return undefined;
  const reason = description.slice(4);
  return reason.length <= REASON_CHARS_MAX && isFieldValue(reason) ? reason : undefined;
}

const REASONS: Readonly<Record<Failure, readonly [status: number, reason: string]>> = {
  forbidden: [403, "Forbidden"],
  functionFailed: [502, "Bad Gateway"],
  malformed: [502, "Bad Gateway"],
  throttled: [502, "Bad Gateway"],
  unavailable: [502, "Bad Gateway"],
  tooLarge: [413, "Request Entity Too Large"],
  late: [504, "Gateway Time-out"],
};

function failed(why: Failure): FrontAnswer {
  const [status, reason] = REASONS[why];
  const text = `${status} ${reason}`;
  const head = `<html>\r\n<head><title>${text}</title></head>`;
  const body = `${head}\r\n<body>\r\n<center><h1>${text}</h1></center>\r\n</body>\r\n</html>\r\n`;
  return { status, headers: [["content-type", "text/html"]], body };
}
