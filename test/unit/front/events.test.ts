import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { albEvent, albMultiEvent } from "../../../src/front/codec-alb.ts";
import { http1Event } from "../../../src/front/codec-http1.ts";
import { http2Event } from "../../../src/front/codec-http2.ts";
import { restEvent } from "../../../src/front/codec-rest.ts";
import { urlEvent } from "../../../src/front/codec-url.ts";
import { asJson, exchangeOf, routeOf } from "./exchange-fixture.ts";

const FORWARDED = [
  ["x-forwarded-for", "192.0.2.10"],
  ["x-forwarded-port", "443"],
  ["x-forwarded-proto", "https"],
  ["x-amzn-trace-id", "Root=1-5e6a8b9e-7a1a4b1c2d3e4f5061728394"],
] as const;

describe("a function URL's event", () => {
  test("has each member that AWS's has, and no other", () => {
    const request = {
      method: "POST",
      rawPath: "/my/path",
      rawQuery: "parameter1=value1&parameter1=value2&parameter2=value",
      headers: [
        ["Header1", "value1"],
        ["header2", "value1"],
        ["Header2", "value2"],
        ["Cookie", "cookie1=a; cookie2=b"],
        ["User-Agent", "agent"],
        ["Content-Type", "text/plain"],
        ...FORWARDED,
      ],
      body: Buffer.from("Hello from client!"),
    } as const;
    assert.deepEqual(asJson(urlEvent(exchangeOf({ request }))), {
      version: "2.0",
      routeKey: "$default",
      rawPath: "/my/path",
      rawQueryString: "parameter1=value1&parameter1=value2&parameter2=value",
      cookies: ["cookie1=a", "cookie2=b"],
      headers: {
        header1: "value1",
        header2: "value1,value2",
        "user-agent": "agent",
        "content-type": "text/plain",
        "x-forwarded-for": "192.0.2.10",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
        "x-amzn-trace-id": "Root=1-5e6a8b9e-7a1a4b1c2d3e4f5061728394",
        "content-length": "18",
      },
      queryStringParameters: { parameter1: "value1,value2", parameter2: "value" },
      requestContext: {
        accountId: "anonymous",
        apiId: "orders-url",
        domainName: "orders-url.lambda-url.eu-west-1.localhost",
        domainPrefix: "orders-url",
        http: {
          method: "POST",
          path: "/my/path",
          protocol: "HTTP/1.1",
          sourceIp: "192.0.2.10",
          userAgent: "agent",
        },
        requestId: "0b5b2c0e-9d3a-4d6c-8a4a-3f1d2c3b4a59",
        routeKey: "$default",
        stage: "$default",
        time: "12/Mar/2020:19:03:58 +0000",
        timeEpoch: 1584039838390,
      },
      body: "Hello from client!",
      isBase64Encoded: false,
    });
  });

  test("leaves out what there is none of: body, cookies, query", () => {
    const event = urlEvent(exchangeOf({ request: { headers: [["Host", "h"]] } }));
    assert.deepEqual(Object.keys(event), [
      "version",
      "routeKey",
      "rawPath",
      "rawQueryString",
      "headers",
      "requestContext",
      "isBase64Encoded",
    ]);
    // As AWS says it of a GET, and not of a HEAD.
    assert.deepEqual(event.headers, { host: "h", "content-length": "0" });
    assert.deepEqual(urlEvent(exchangeOf({ request: { method: "HEAD" } })).headers, {});
  });

  test("does not decode the path, nor fail on one that cannot be decoded", () => {
    const event = urlEvent(exchangeOf({ request: { rawPath: "/pa2%Fth/1" } }));
    assert.deepEqual([event.rawPath, event.requestContext.http.path], ["/pa2%Fth/1", "/pa2%Fth/1"]);
  });

  test("decodes names and values of the query, each for itself", () => {
    const rawQuery = "dup=one&dup=two%2Cthree&plus=a+b&encoded=a%2Bb&empty=&bare&%65nc=one&enc=two&bad=%F";
    const { queryStringParameters } = urlEvent(exchangeOf({ request: { rawQuery } }));
    assert.deepEqual(queryStringParameters, {
      dup: "one,two,three",
      plus: "a b",
      encoded: "a+b",
      empty: "",
      bare: "",
      enc: "one,two",
      bad: "%F",
    });
  });

  test("names like those of objects are names like others", () => {
    const request = { rawQuery: "__proto__=a&constructor=b", headers: [["__proto__", "c"]] as const };
    const text = JSON.stringify(urlEvent(exchangeOf({ request })));
    assert.match(text, /"queryStringParameters":\{"__proto__":"a","constructor":"b"\}/);
    assert.match(text, /"headers":\{"__proto__":"c"/);
  });

  test("of one who signed says who it was, of the account", () => {
    const signer = { name: "courier", accessKeyId: "AKIAEXAMPLEEXAMPLE00" };
    const { requestContext } = urlEvent(exchangeOf({ request: { signer } }));
    assert.equal(requestContext.accountId, "123456789012");
    assert.deepEqual(requestContext.authorizer, {
      iam: {
        accessKey: "AKIAEXAMPLEEXAMPLE00",
        accountId: "123456789012",
        callerId: "courier",
        cognitoIdentity: null,
        principalOrgId: null,
        userArn: "arn:aws:iam::123456789012:user/courier",
        userId: "courier",
      },
    });
  });

  const JSON_TEXT = Buffer.from('{"snow":"☃"}');
  const BODIES = [
    ["application/json; charset=utf-8", JSON_TEXT, false],
    ["text/csv", Buffer.from("a,b"), false],
    ["application/xml", Buffer.from("<a/>"), false],
    ["APPLICATION/JavaScript", Buffer.from("1"), false],
    ["application/octet-stream", Buffer.from([0, 255, 65, 10]), true],
    ["multipart/form-data; boundary=x", Buffer.from("--x--"), true],
    [undefined, Buffer.from("abc"), true],
    // What is no UTF-8 would come as something else.
    ["text/plain", Buffer.from([0xff, 0xfe]), true],
  ] as const;
  for (const [type, body, isBase64Encoded] of BODIES) {
    test(`a body of type ${type} comes as ${isBase64Encoded ? "Base64" : "text"}`, () => {
      const headers = type === undefined ? [] : [["content-type", type] as const];
      const event = urlEvent(exchangeOf({ request: { method: "POST", headers, body } }));
      const text = body.toString(isBase64Encoded ? "base64" : "utf8");
      assert.deepEqual([event.body, event.isBase64Encoded], [text, isBase64Encoded]);
    });
  }

  test("a compressed body comes as Base64, whatever it is of", () => {
    const headers = [["content-type", "text/plain"] as const, ["content-encoding", "gzip"] as const];
    const event = urlEvent(exchangeOf({ request: { method: "POST", headers, body: Buffer.from("x") } }));
    assert.equal(event.isBase64Encoded, true);
  });
});

test("an HTTP API's event of format 2.0 has the route's key, path parameters, stage and its variables", () => {
  const route = routeOf({
    shape: "http2",
    path: "/pets/{id}",
    methods: ["GET"],
    stage: "prod",
    stageVariables: { table: "pets" },
  });
  const request = { rawPath: "/prod/pets/7", host: "api.example.com" };
  const event = http2Event(exchangeOf({ route, request, pathParameters: { id: "7" } }));
  assert.deepEqual(
    [event.routeKey, event.rawPath, event.pathParameters, event.stageVariables],
    ["GET /pets/{id}", "/prod/pets/7", { id: "7" }, { table: "pets" }],
  );
  const { stage, routeKey, accountId, apiId, domainPrefix } = event.requestContext;
  assert.deepEqual(
    [stage, routeKey, accountId, apiId, domainPrefix],
    ["prod", "GET /pets/{id}", "123456789012", "orders-url", "api"],
  );
  const any = http2Event(exchangeOf({ route: routeOf({ shape: "http2", path: "/a/{proxy+}" }) }));
  assert.equal(any.routeKey, "ANY /a/{proxy+}");
  assert.equal(
    http2Event(exchangeOf({ route: routeOf({ shape: "http2", path: "$default" }) })).routeKey,
    "$default",
  );
});

const REST_HEADERS = [
  ["tEsT-HEADeR", "aValue"],
  ["Accept", "a"],
  ["Accept", "b"],
  ["Host", "api.example.com"],
  ["User-Agent", "test/1"],
  ...FORWARDED,
] as const;

describe("a REST API's event", () => {
  const route = routeOf({ shape: "rest", path: "/proxy-value/{proxy+}", stage: "stage" }, "Rest_api");
  const request = {
    rawPath: "/stage/proxy-value//double-slash",
    rawQuery: "category=electronics&category=books",
    headers: REST_HEADERS,
    host: "api.example.com",
  };

  test("has each member that AWS's has, names as they were written, and null for what there is none of", () => {
    const event = restEvent(exchangeOf({ route, request, pathParameters: { proxy: "/double-slash" } }));
    const all = Object.fromEntries(
      event.requestContext === undefined ? [] : Object.entries(event.requestContext),
    );
    assert.deepEqual(asJson(event), {
      resource: "/proxy-value/{proxy+}",
      path: "/proxy-value//double-slash",
      httpMethod: "GET",
      headers: {
        "tEsT-HEADeR": "aValue",
        Accept: "b",
        Host: "api.example.com",
        "User-Agent": "test/1",
        "X-Forwarded-For": "192.0.2.10",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
        "X-Amzn-Trace-Id": "Root=1-5e6a8b9e-7a1a4b1c2d3e4f5061728394",
      },
      multiValueHeaders: {
        "tEsT-HEADeR": ["aValue"],
        Accept: ["a", "b"],
        Host: ["api.example.com"],
        "User-Agent": ["test/1"],
        "X-Forwarded-For": ["192.0.2.10"],
        "X-Forwarded-Port": ["443"],
        "X-Forwarded-Proto": ["https"],
        "X-Amzn-Trace-Id": ["Root=1-5e6a8b9e-7a1a4b1c2d3e4f5061728394"],
      },
      queryStringParameters: { category: "books" },
      multiValueQueryStringParameters: { category: ["electronics", "books"] },
      requestContext: asJson(all),
      pathParameters: { proxy: "/double-slash" },
      stageVariables: null,
      body: null,
      isBase64Encoded: false,
    });
    assert.deepEqual(asJson(event.requestContext), {
      accountId: "123456789012",
      apiId: "rest-api",
      deploymentId: "rest-api",
      domainName: "api.example.com",
      domainPrefix: "api",
      extendedRequestId: "0b5b2c0e-9d3a-4d6c-8a4a-3f1d2c3b4a59",
      httpMethod: "GET",
      identity: {
        accessKey: null,
        accountId: null,
        caller: null,
        cognitoAuthenticationProvider: null,
        cognitoAuthenticationType: null,
        cognitoIdentityId: null,
        cognitoIdentityPoolId: null,
        principalOrgId: null,
        sourceIp: "192.0.2.10",
        user: null,
        userAgent: "test/1",
        userArn: null,
      },
      path: "/stage/proxy-value//double-slash",
      protocol: "HTTP/1.1",
      requestId: "0b5b2c0e-9d3a-4d6c-8a4a-3f1d2c3b4a59",
      requestTime: "12/Mar/2020:19:03:58 +0000",
      requestTimeEpoch: 1584039838390,
      resourceId: "rest-api",
      resourcePath: "/proxy-value/{proxy+}",
      stage: "stage",
    });
  });

  test("has a body as text, unless its type is one of the binary ones", () => {
    const body = Buffer.from("☃");
    const headers = [["Content-Type", "image/png"]] as const;
    const plain = restEvent(exchangeOf({ route, request: { ...request, headers, body } }));
    assert.deepEqual([plain.body, plain.isBase64Encoded], ["☃", false]);
    const binary = routeOf({ shape: "rest", path: "/{proxy+}", binaryMediaTypes: ["image/*"] });
    const encoded = restEvent(exchangeOf({ route: binary, request: { ...request, headers, body } }));
    assert.deepEqual([encoded.body, encoded.isBase64Encoded], [body.toString("base64"), true]);
  });
});

test("an HTTP API's event of format 1.0 is a REST API's with a version, and the stage in its path", () => {
  const route = routeOf({ shape: "http1", path: "/pets/{id}", stage: "prod" });
  const request = { rawPath: "/prod/pets/7", headers: REST_HEADERS };
  const event = http1Event(exchangeOf({ route, request, pathParameters: { id: "7" } }));
  assert.deepEqual([event.version, event.path, event.resource], ["1.0", "/prod/pets/7", "/pets/{id}"]);
  const { authorizer, resourceId } = Object.fromEntries(Object.entries(event.requestContext));
  assert.deepEqual([authorizer, resourceId], [{ claims: null, scopes: null }, null]);
  assert.deepEqual([event.body, event.stageVariables, event.queryStringParameters], [null, null, null]);
});

describe("a load balancer's event", () => {
  const route = routeOf({ shape: "alb", path: "/lambda" }, "lambda-target");
  const request = {
    rawPath: "/lambda",
    rawQuery: "query=1234ABCD&key=a%20b&key=c+d",
    headers: [
      ["Accept", "a"],
      ["accept", "b"],
      ["User-Agent", "ELB-HealthChecker/2.0"],
      ...FORWARDED,
    ] as const,
  };
  const context = {
    elb: {
      targetGroupArn: `arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/lambda-target/${route.groupId}`,
    },
  };
  const forwarded = Object.fromEntries(FORWARDED);

  test("has the last of several values, and a query that is not decoded", () => {
    assert.deepEqual(asJson(albEvent(exchangeOf({ route, request }))), {
      requestContext: context,
      httpMethod: "GET",
      path: "/lambda",
      queryStringParameters: { query: "1234ABCD", key: "c+d" },
      headers: { accept: "b", "user-agent": "ELB-HealthChecker/2.0", ...forwarded },
      body: "",
      isBase64Encoded: false,
    });
  });

  test("with multi-value headers has other keys in place of those", () => {
    const lists = Object.entries(forwarded).map(([name, value]) => [name, [value]]);
    assert.deepEqual(asJson(albMultiEvent(exchangeOf({ route, request }))), {
      requestContext: context,
      httpMethod: "GET",
      path: "/lambda",
      multiValueQueryStringParameters: { query: ["1234ABCD"], key: ["a%20b", "c+d"] },
      multiValueHeaders: {
        accept: ["a", "b"],
        "user-agent": ["ELB-HealthChecker/2.0"],
        ...Object.fromEntries(lists),
      },
      body: "",
      isBase64Encoded: false,
    });
  });
});
