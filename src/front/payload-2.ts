import { answerOf, bodyOf, headersOf, isMembers, parsedAnswer, statusOf } from "./answer-members.ts";
import { type EventBody, eventBody } from "./body-text.ts";
import { type Exchange, type FrontAnswer, type FrontRequest, type Header, userArn } from "./exchange.ts";
import { cutPrelude } from "./prelude.ts";
import { decodedPart, joinedValues, queryPairs } from "./query.ts";
import { requestTime } from "./request-time.ts";
import { headerText, headerValue, withDefault } from "./wire-headers.ts";

/** What tells the shapes apart that have payload format 2.0. */
export interface Payload2Parts {
  readonly routeKey: string;
  readonly accountId: string;
  readonly apiId: string;
  readonly domainPrefix: string;
  readonly stage: string;
}

const JSON_TYPE = "application/json";
type ToldBody = Pick<EventBody, "isBase64Encoded"> & Partial<EventBody>;

/** An event of payload format 2.0 (invocation §13.1): what there is none of is left out. */
export function payload2Event(exchange: Exchange, parts: Payload2Parts) {
  const { request, pathParameters, route } = exchange;
  const { rawPath, rawQuery, method, headers, body, nowMs, requestId, host, protocol, sourceIp } = request;
  const { routeKey, accountId, apiId, domainPrefix, stage } = parts;
  const cookies = cookiesOf(headers);
  const authorizer = authorizerOf(exchange);
  const toldBody: ToldBody = body.length === 0 ? { isBase64Encoded: false } : eventBody(request);
  return {
    version: "2.0" as const,
    routeKey,
    rawPath,
    rawQueryString: rawQuery,
    ...(cookies.length === 0 ? {} : { cookies }),
    headers: joinedHeaders(request),
    ...(rawQuery === "" ? {} : { queryStringParameters: joinedValues(queryPairs(rawQuery)) }),
    requestContext: {
      accountId,
      apiId,
      ...(authorizer === undefined ? {} : { authorizer }),
      domainName: host,
      domainPrefix,
      http: {
        method,
        path: decodedPart(rawPath),
        protocol,
        sourceIp,
        userAgent: headerValue(headers, "user-agent") ?? "",
      },
      requestId,
      routeKey,
      stage,
      time: requestTime(nowMs),
      timeEpoch: nowMs,
    },
    ...(Object.keys(pathParameters).length === 0 ? {} : { pathParameters }),
    ...(Object.keys(route.stageVariables).length === 0 ? {} : { stageVariables: route.stageVariables }),
    ...toldBody,
  };
}

/** As Lambda tells a function of who signed: of an account that has one kind of callers. */
function authorizerOf({ request: { signer }, place }: Exchange) {
  if (signer === undefined) return undefined;
  const { accessKeyId, name } = signer;
  return {
    iam: {
      accessKey: accessKeyId,
      accountId: place.account,
      callerId: name,
      cognitoIdentity: null,
      principalOrgId: null,
      userArn: userArn(signer, place),
      userId: name,
    },
  };
}

/** A text without quotes counts as what it says, and anything else without a status as JSON (invocation §13.1). */
export function payload2Answer(payload: Uint8Array): FrontAnswer | undefined {
  const parsed = parsedAnswer(payload);
  const whole = (body: FrontAnswer["body"]) => ({
    status: 200,
    headers: [["content-type", JSON_TYPE]] as const,
    body,
  });
  // What is not JSON was streamed, and collected: nobody has said what it is.
  if (parsed === undefined) return streamedAnswer(payload);
  const { value } = parsed;
  if (typeof value === "string") return whole(value);
  if (!isMembers(value) || value["statusCode"] === undefined) {
    return whole(payload.length === 0 ? "null" : payload);
  }
  const head = payload2Head(value);
  if (head === undefined) return undefined;
  return { ...head, body: bodyOf(bodyText(value["body"]), value["isBase64Encoded"] === true) };
}

/** Status, headers and cookies of an answer, or of the prelude of one that streams; the body is empty. */
export function payload2Head(value: unknown): FrontAnswer | undefined {
  if (!isMembers(value)) return undefined;
  const { statusCode = 200, headers: given, cookies: givenCookies } = value;
  const status = statusOf(statusCode);
  const headers = headersOf(given);
  const cookies = setCookies(givenCookies);
  if (status === undefined || headers === undefined || cookies === undefined) return undefined;
  const lower = headers.map(([name, text]) => [name.toLowerCase(), text] as const);
  return answerOf(status, [...withDefault(lower, "content-type", JSON_TYPE), ...cookies], "");
}

/**
 * A streaming handler whose response was collected: of one with a prelude only that comes through, and not the body,
 * as on AWS.
 */
function streamedAnswer(payload: Uint8Array): FrontAnswer | undefined {
  const cut = cutPrelude(payload);
  if (cut !== undefined) return payload2Head(cut.prelude);
  return { status: 200, headers: [["content-type", "application/octet-stream"]], body: payload };
}

/** What is no text is written as JSON. */
function bodyText(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function setCookies(value: unknown): readonly Header[] | undefined {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return undefined;
  return value.map((cookie: unknown) => ["set-cookie", headerText(cookie)] as const);
}

function cookiesOf(headers: readonly Header[]): readonly string[] {
  return headers.flatMap(([name, value]) =>
    name.toLowerCase() === "cookie"
      ? value
          .split(";")
          .map((cookie) => cookie.trim())
          .filter((cookie) => cookie !== "")
      : [],
  );
}

/** Names in lower case; cookies have a place of their own. */
function joinedHeaders({ headers, method, body }: FrontRequest): Record<string, string> {
  const lower = headers
    .filter(([name]) => name.toLowerCase() !== "cookie")
    .map(([name, value]) => [name.toLowerCase(), value] as const);
  const joined = joinedValues(lower);
  // A body that came in chunks has a length by now; AWS says that of no body, too.
  if (body.length > 0 || (method !== "HEAD" && method !== "OPTIONS"))
    joined["content-length"] = String(body.length);
  return joined;
}
