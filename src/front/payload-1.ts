import { type Exchange, type Header, userArn } from "./exchange.ts";
import { allValues, lastValues, orNull, queryPairs } from "./query.ts";
import { requestTime } from "./request-time.ts";
import { headerValue } from "./wire-headers.ts";

/** What tells the shapes apart that have payload format 1.0. */
export interface Payload1Parts {
  /** What the event has: with the stage, or without. */
  readonly path: string;
  /** With the stage. */
  readonly wholePath: string;
  readonly headers: readonly Header[];
  readonly body: string | null;
  readonly isBase64Encoded: boolean;
  /** What its `requestContext` has besides. */
  readonly context: Readonly<Record<string, unknown>>;
}

/** What events of payload format 1.0 have in common (invocation §13.3): what there is none of is `null`. */
export function payload1Event(exchange: Exchange, parts: Payload1Parts) {
  const { request, route, pathParameters } = exchange;
  const { path, headers, body, isBase64Encoded } = parts;
  const query = queryPairs(request.rawQuery);
  return {
    resource: route.path ?? "/{proxy+}",
    path,
    httpMethod: request.method,
    headers: lastValues(headers),
    multiValueHeaders: allValues(headers),
    queryStringParameters: orNull(lastValues(query)),
    multiValueQueryStringParameters: orNull(allValues(query)),
    requestContext: requestContext(exchange, parts),
    pathParameters: orNull(pathParameters),
    stageVariables: orNull(route.stageVariables),
    body,
    isBase64Encoded,
  };
}

function requestContext({ request, route, place }: Exchange, { wholePath, context }: Payload1Parts) {
  const { host, requestId, method, nowMs, protocol, sourceIp, headers, signer } = request;
  return {
    accountId: place.account,
    apiId: route.id,
    domainName: host,
    domainPrefix: host.split(".", 1)[0] ?? "",
    extendedRequestId: requestId,
    httpMethod: method,
    identity: {
      accessKey: signer?.accessKeyId ?? null,
      accountId: signer === undefined ? null : place.account,
      caller: signer?.name ?? null,
      cognitoAuthenticationProvider: null,
      cognitoAuthenticationType: null,
      cognitoIdentityId: null,
      cognitoIdentityPoolId: null,
      principalOrgId: null,
      sourceIp,
      user: signer?.name ?? null,
      userAgent: headerValue(headers, "user-agent") ?? null,
      userArn: signer === undefined ? null : userArn(signer, place),
    },
    path: wholePath,
    protocol,
    requestId,
    requestTime: requestTime(nowMs),
    requestTimeEpoch: nowMs,
    resourcePath: route.path ?? "/{proxy+}",
    stage: route.stage,
    ...context,
  };
}

/** The path behind the stage, which stands first where there is one. */
export function pathBehindStage(rawPath: string, stage: string): string {
  if (stage === "$default") return rawPath;
  return rawPath.slice(stage.length + 1) || "/";
}
