import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  ALBHandler,
  APIGatewayProxyHandler,
  APIGatewayProxyHandlerV2,
  Context,
  LambdaFunctionURLHandler,
} from "aws-lambda";
import { CODECS } from "../../../src/front/codecs.ts";
import type { RouteShape } from "../../../src/manifests/route-resource.ts";
import { exchangeOf, jsonPayload, routeOf } from "./exchange-fixture.ts";

/** Handlers as they are written for AWS: that they compile is the first half of the test. */
const ofUrl: LambdaFunctionURLHandler = async ({ rawPath, requestContext, cookies = [] }) => ({
  statusCode: 200,
  cookies: [`seen=${cookies.length}`],
  body: `${requestContext.http.method} ${rawPath}`,
});
const ofHttpApi: APIGatewayProxyHandlerV2 = async ({ rawPath, requestContext: { http } }) => ({
  statusCode: 200,
  body: `${http.method} ${rawPath}`,
});
const ofRestApi: APIGatewayProxyHandler = async ({ httpMethod, path, multiValueHeaders }) => ({
  statusCode: 200,
  multiValueHeaders: { "x-names": Object.keys(multiValueHeaders) },
  body: `${httpMethod} ${path}`,
});
const ofBalancer: ALBHandler = async ({ httpMethod, path, requestContext }) => ({
  statusCode: 200,
  statusDescription: "200 OK",
  headers: { "x-group": requestContext.elb.targetGroupArn },
  multiValueHeaders: { "x-a": ["b"] },
  body: `${httpMethod} ${path}`,
});

type AnyHandler = (event: never, context: Context, callback: () => void) => unknown;
const HANDLERS: Readonly<Record<RouteShape, AnyHandler>> = {
  url: ofUrl,
  http2: ofHttpApi,
  http1: ofRestApi,
  rest: ofRestApi,
  alb: ofBalancer,
  albMulti: ofBalancer,
};

for (const [shape, handler] of Object.entries(HANDLERS) as [RouteShape, AnyHandler][]) {
  test(`a handler with AWS's types finds what it needs in an event of the shape ${shape}`, async () => {
    const codec = CODECS[shape];
    const route = routeOf({ shape, ...(shape === "url" ? {} : { path: "/{proxy+}" }) });
    const exchange = exchangeOf({ route, request: { rawPath: "/a/b", headers: [["Host", "h"]] } });
    const event = JSON.parse(JSON.stringify(codec.event(exchange)));
    const returned = await handler(event as never, {} as Context, () => undefined);
    const answer = codec.answer(jsonPayload(returned), exchange);
    assert.deepEqual([answer?.status, Buffer.from(answer?.body ?? "").toString()], [200, "GET /a/b"]);
  });
}
