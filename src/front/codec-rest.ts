import {
  answerOf,
  bodyOf,
  headersOf,
  isMembers,
  multiValueHeadersOf,
  parsedAnswer,
  statusOf,
} from "./answer-members.ts";
import { mediaType } from "./body-text.ts";
import {
  BODY_BYTES_MAX,
  type Codec,
  type Exchange,
  type Failure,
  type FrontAnswer,
  type Header,
  jsonAnswer,
} from "./exchange.ts";
import { pathBehindStage, payload1Event } from "./payload-1.ts";
import { headerValue, withDefault } from "./wire-headers.ts";

/** API Gateway's wait for a function behind a REST API. */
const WAIT_MS_MAX = 29_000;
const MEMBERS: readonly string[] = ["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"];
/** As API Gateway writes names that it adds. */
const SPELLING: ReadonlyMap<string, string> = new Map([
  ["x-forwarded-for", "X-Forwarded-For"],
  ["x-forwarded-port", "X-Forwarded-Port"],
  ["x-forwarded-proto", "X-Forwarded-Proto"],
  ["x-amzn-trace-id", "X-Amzn-Trace-Id"],
]);

/** API Gateway's REST API with the Lambda proxy integration (invocation §13.3). */
export const restCodec: Codec = {
  bodyBytesMax: BODY_BYTES_MAX,
  waitMsMax: WAIT_MS_MAX,
  event: restEvent,
  answer: restAnswer,
  failed,
};

export function restEvent(exchange: Exchange) {
  const { request, route } = exchange;
  const { rawPath, body } = request;
  const headers = request.headers.map(([name, value]) => [SPELLING.get(name) ?? name, value] as const);
  const isBinary = isBinaryType(route.binaryMediaTypes, headerValue(headers, "content-type"));
  const isBase64Encoded = body.length > 0 && isBinary;
  return payload1Event(exchange, {
    path: pathBehindStage(rawPath, route.stage),
    wholePath: rawPath,
    headers,
    body: body.length === 0 ? null : body.toString(isBase64Encoded ? "base64" : "utf8"),
    isBase64Encoded,
    context: { deploymentId: route.id, resourceId: route.id },
  });
}

/** The rules that were recorded of AWS: what it does not know it refuses. */
function restAnswer(payload: Uint8Array, { route, request }: Exchange): FrontAnswer | undefined {
  const value = parsedAnswer(payload)?.value;
  if (!isMembers(value)) return undefined;
  const names = Object.keys(value);
  // plant: a-rest-answer-with-members-that-nobody-knows-is-sent
  if (names.length === 0 || names.some((name) => !MEMBERS.includes(name))) return undefined;
  const { statusCode = 200, body, isBase64Encoded } = value;
  const status = statusOf(statusCode);
  const single = headersOf(value["headers"]);
  const multi = multiValueHeadersOf(value["multiValueHeaders"]);
  if (status === undefined || single === undefined || multi === undefined) return undefined;
  if (typeof body === "object" && body !== null) return undefined;
  const text = body === undefined || body === null ? "" : String(body);
  const headers = withDefault(merged(multi, single), "Content-Type", "application/json");
  const accepted = headerValue(request.headers, "accept")?.split(",", 1)[0];
  const isBinary = [accepted, headerValue(headers, "content-type")].some((type) =>
    isBinaryType(route.binaryMediaTypes, type),
  );
  return answerOf(status, headers, bodyOf(text, isBase64Encoded === true && isBinary));
}

/** A name that both have keeps the spelling of the first, whose values stand first. */
function merged(multi: readonly Header[], single: readonly Header[]): readonly Header[] {
  const spelling = new Map(multi.map(([name]) => [name.toLowerCase(), name]));
  return [
    ...multi,
    ...single.map(([name, value]) => [spelling.get(name.toLowerCase()) ?? name, value] as const),
  ];
}

function isBinaryType(binaryMediaTypes: readonly string[], header: string | undefined): boolean {
  const type = mediaType(header);
  return binaryMediaTypes.some((each) => {
    const known = each.toLowerCase();
    return known === "*/*" || known === type || (known.endsWith("/*") && type.startsWith(known.slice(0, -1)));
  });
}

const WRONG = "Internal server error";

function failed(why: Failure): FrontAnswer {
  switch (why) {
    case "forbidden":
      return spaced(403, "Forbidden", [["x-amzn-errortype", "ForbiddenException"]]);
    case "functionFailed":
    case "malformed":
      return spaced(502, WRONG, [["x-amzn-errortype", "InternalServerErrorException"]]);
    case "throttled":
    case "unavailable":
      return spaced(500, WRONG, [["x-amzn-errortype", "InternalServerErrorException"]]);
    case "tooLarge":
      return jsonAnswer(413, { message: "Request Too Long" }, [
        ["x-amzn-errortype", "RequestTooLargeException"],
      ]);
    case "late":
      return spaced(504, "Endpoint request timed out", [
        ["x-amzn-errortype", "InternalServerErrorException"],
      ]);
  }
}

/** REST APIs write a blank behind the colon. */
function spaced(status: number, message: string, headers: readonly Header[]): FrontAnswer {
  return { ...jsonAnswer(status, {}, headers), body: `{"message": ${JSON.stringify(message)}}` };
}
