import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CODECS } from "../../../src/front/codecs.ts";
import type { Failure, FrontAnswer } from "../../../src/front/exchange.ts";
import { answerAsWritten } from "../../../src/front/told-result.ts";
import type { RouteShape } from "../../../src/manifests/route-resource.ts";
import { exchangeOf, jsonPayload, routeOf } from "./exchange-fixture.ts";

/** Status, headers by name in lower case, and body; `undefined`: it is malformed. */
type Told = readonly [status: number, headers: Readonly<Record<string, string | string[]>>, body: string];

function told(answer: FrontAnswer | undefined): Told | undefined {
  if (answer === undefined) return undefined;
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of answer.headers) {
    const lower = name.toLowerCase();
    const before = headers[lower];
    headers[lower] = before === undefined ? value : [before, value].flat();
  }
  return [answer.status, headers, Buffer.from(answer.body).toString("latin1")];
}

function answerOf(shape: RouteShape, payload: Uint8Array, spec: object = {}): Told | undefined {
  const route = routeOf({ shape, ...(shape === "url" ? {} : { path: "/{proxy+}" }), ...spec });
  return told(CODECS[shape].answer(payload, exchangeOf({ route })));
}

const JSON_TYPE = { "content-type": "application/json" };

/** What was recorded of AWS, and what follows from it. */
const URL_ANSWERS: readonly (readonly [name: string, returned: unknown, told: Told | undefined])[] = [
  [
    "an object without a status",
    { hello: "owned", nested: { number: 7 } },
    [200, JSON_TYPE, '{"hello":"owned","nested":{"number":7}}'],
  ],
  ["a text, without its quotes", "hello owned", [200, JSON_TYPE, "hello owned"]],
  ["nothing", null, [200, JSON_TYPE, "null"]],
  ["a number", 42, [200, JSON_TYPE, "42"]],
  ["a list", [1, 2], [200, JSON_TYPE, "[1,2]"]],
  [
    "a whole answer, with the header's cookie before the others",
    {
      statusCode: 202,
      headers: { "Content-Type": "application/x-owned", "X-Owned": "yes", "Set-Cookie": "header=c" },
      cookies: ["a=1; Path=/", "b=2; HttpOnly"],
      body: "accepted\n",
    },
    [
      202,
      {
        "content-type": "application/x-owned",
        "x-owned": "yes",
        "set-cookie": ["header=c", "a=1; Path=/", "b=2; HttpOnly"],
      },
      "accepted\n",
    ],
  ],
  [
    "Base64",
    {
      statusCode: 201,
      headers: { "Content-Type": "application/octet-stream" },
      cookies: ["binary=yes"],
      body: "QQD/Cg==",
      isBase64Encoded: true,
    },
    [201, { "content-type": "application/octet-stream", "set-cookie": "binary=yes" }, "A\0\xff\n"],
  ],
  ["a status that there is none of", { statusCode: 700, body: "invalid-status" }, undefined],
  ["a status that is no last one", { statusCode: 101 }, undefined],
  ["a status as text", { statusCode: "204" }, [204, JSON_TYPE, ""]],
  ["a status that is no number", { statusCode: "test" }, undefined],
  [
    "a body that is no text",
    { statusCode: 200, body: { not: "string" } },
    [200, JSON_TYPE, '{"not":"string"}'],
  ],
  [
    "Base64 that is none, read as far as it goes",
    { statusCode: 200, body: "!!!not-base64!!!", isBase64Encoded: true },
    [200, JSON_TYPE, Buffer.from("not+base6w==", "base64").toString("latin1")],
  ],
  [
    "a header that is no text",
    { statusCode: 200, headers: { "x-owned": { bad: true } }, body: "bad-headers" },
    [200, { ...JSON_TYPE, "x-owned": "{bad=true}" }, "bad-headers"],
  ],
  ["headers that are no map", { statusCode: 200, headers: ["a"] }, undefined],
  ["cookies that are no list", { statusCode: 200, cookies: "a=1" }, undefined],
  [
    "a header that would end the head",
    { statusCode: 200, headers: { a: "b\r\nset-cookie: c=d" } },
    undefined,
  ],
  ["a header whose name is none", { statusCode: 200, headers: { "a b": "c" } }, undefined],
  ["a cookie that would end the head", { statusCode: 200, cookies: ["a=1\r\n\r\n<html>"] }, undefined],
  [
    "headers of the connection, which are not the function's to say",
    {
      statusCode: 200,
      headers: {
        Connection: "x-mine, close",
        "X-Mine": "1",
        "Transfer-Encoding": "chunked",
        "Content-Length": "3",
        "Keep-Alive": "x",
        Upgrade: "y",
        Trailer: "z",
        "X-Kept": "1",
      },
      body: "longer than three",
    },
    [200, { ...JSON_TYPE, "x-kept": "1" }, "longer than three"],
  ],
];

describe("a function URL answers with", () => {
  for (const [name, returned, wanted] of URL_ANSWERS)
    test(name, () => assert.deepEqual(answerOf("url", jsonPayload(returned)), wanted));

  test("null for an empty payload", () => {
    assert.deepEqual(answerOf("url", Buffer.alloc(0)), [200, JSON_TYPE, "null"]);
  });

  test("what a streaming handler wrote that was collected, as octets", () => {
    const octets = { "content-type": "application/octet-stream" };
    assert.deepEqual(answerOf("url", Buffer.from([65, 0, 255, 10])), [200, octets, "A\0\xff\n"]);
  });

  test("status and headers of a collected stream with a prelude, without its body, as AWS does", () => {
    const prelude = JSON.stringify({ statusCode: 206, headers: { "X-Owned": "stream" }, cookies: ["s=1"] });
    const payload = Buffer.concat([Buffer.from(prelude), Buffer.alloc(8), Buffer.from("body")]);
    assert.deepEqual(answerOf("url", payload), [
      206,
      { ...JSON_TYPE, "x-owned": "stream", "set-cookie": "s=1" },
      "",
    ]);
  });
});

test("a URL that streams hands on what a handler returned that does not, with its status and headers", () => {
  const payload = jsonPayload({
    statusCode: 202,
    headers: { "Content-Type": "a/b" },
    cookies: ["c=d"],
    body: "x",
  });
  const answer = told(answerAsWritten(CODECS.url, payload));
  assert.deepEqual(answer, [
    202,
    { "content-type": "a/b", "set-cookie": "c=d" },
    Buffer.from(payload).toString(),
  ]);
  assert.deepEqual(told(answerAsWritten(CODECS.url, jsonPayload("text"))), [200, JSON_TYPE, '"text"']);
  assert.equal(answerAsWritten(CODECS.url, jsonPayload({ statusCode: 700 })), undefined);
});

const PLAIN = { "content-type": "text/plain; charset=utf-8" };

test("an HTTP API with format 2.0 answers as a function URL does", () => {
  for (const [, returned, wanted] of URL_ANSWERS)
    assert.deepEqual(answerOf("http2", jsonPayload(returned)), wanted);
});

test("an HTTP API with format 1.0 needs a status, and takes multi-value headers", () => {
  const multi = {
    statusCode: 200,
    headers: { a: "solo", b: "c" },
    multiValueHeaders: { A: ["1", "2"] },
    body: "x",
  };
  assert.deepEqual(answerOf("http1", jsonPayload(multi)), [200, { ...PLAIN, a: ["1", "2"], b: "c" }, "x"]);
  assert.equal(answerOf("http1", jsonPayload({ body: "x" })), undefined);
  assert.equal(answerOf("http1", jsonPayload("x")), undefined);
  assert.equal(answerOf("http1", Buffer.from("{")), undefined);
});

/** As recorded (invocation §13.3). */
const REST_ANSWERS: readonly (readonly [name: string, returned: unknown, told: Told | undefined])[] = [
  ["a status alone", { statusCode: 200 }, [200, JSON_TYPE, ""]],
  [
    "headers alone",
    { headers: { "test-header": "value" } },
    [200, { ...JSON_TYPE, "test-header": "value" }, ""],
  ],
  ["a status as text", { statusCode: "201" }, [201, JSON_TYPE, ""]],
  ["a status that is none", { statusCode: "test" }, undefined],
  ["an empty map", {}, undefined],
  ["a bare text", "test", undefined],
  ["a member that nobody knows", { statusCode: 200, wrongValue: 1 }, undefined],
  ["headers that are null", { statusCode: 200, headers: null }, [200, JSON_TYPE, ""]],
  [
    "a header that is true",
    { headers: { "header-bool": true } },
    [200, { ...JSON_TYPE, "header-bool": "true" }, ""],
  ],
  [
    "several values of a header",
    { statusCode: 200, multiValueHeaders: { m: ["v1", "v2"] } },
    [200, { ...JSON_TYPE, m: ["v1", "v2"] }, ""],
  ],
  ["multi-value headers that are no lists", { statusCode: 200, multiValueHeaders: { m: "v" } }, undefined],
  ["a body that is a map", { statusCode: 200, body: { a: 1 } }, undefined],
  [
    "Base64 without binary types, as it is",
    { statusCode: 200, body: "QQD/Cg==", isBase64Encoded: true },
    [200, JSON_TYPE, "QQD/Cg=="],
  ],
];

describe("a REST API answers to", () => {
  for (const [name, returned, wanted] of REST_ANSWERS)
    test(name, () => assert.deepEqual(answerOf("rest", jsonPayload(returned)), wanted));

  test("a name in both kinds of headers with all values, those of the lists first and in their spelling", () => {
    const returned = {
      multiValueHeaders: { "Test-H": ["value-multi"] },
      headers: { "test-h": "value-solo" },
    };
    const route = routeOf({ shape: "rest", path: "/{proxy+}" });
    const { headers = [] } = CODECS.rest.answer(jsonPayload(returned), exchangeOf({ route })) ?? {};
    assert.deepEqual(headers.slice(1), [
      ["Test-H", "value-multi"],
      ["Test-H", "value-solo"],
    ]);
  });

  test("Base64 with bytes where the response's type is a binary one", () => {
    const returned = { headers: { "Content-Type": "image/png" }, body: "QQD/Cg==", isBase64Encoded: true };
    const answer = answerOf("rest", jsonPayload(returned), { binaryMediaTypes: ["image/*"] });
    assert.deepEqual(answer, [200, { "content-type": "image/png" }, "A\0\xff\n"]);
  });
});

describe("a load balancer answers to", () => {
  const OCTETS = { "content-type": "application/octet-stream" };
  const answers: readonly (readonly [string, unknown, Told | undefined])[] = [
    [
      "a whole answer",
      { statusCode: 200, headers: { a: "b" }, body: "x" },
      [200, { a: "b", ...OCTETS }, "x"],
    ],
    ["a status alone", { statusCode: 404 }, [404, {}, ""]],
    ["a status as text", { statusCode: "200" }, undefined],
    ["no status", { body: "x" }, undefined],
    ["a body beyond 1 MiB", { statusCode: 200, body: "x".repeat(1024 * 1024 + 1) }, undefined],
  ];
  for (const [name, returned, wanted] of answers)
    test(name, () => assert.deepEqual(answerOf("alb", jsonPayload(returned)), wanted));

  test("a description with its words", () => {
    const exchange = exchangeOf({ route: routeOf({ shape: "alb", path: "/a" }) });
    const reason = (statusDescription: string) =>
      CODECS.alb.answer(jsonPayload({ statusCode: 200, statusDescription }), exchange)?.reason;
    assert.deepEqual(
      [reason("200 Fine"), reason("404 No"), reason("200 a\r\nb")],
      ["Fine", undefined, undefined],
    );
  });

  test("multi-value headers where the target group has them, and to no others", () => {
    const returned = {
      statusCode: 200,
      headers: { lost: "1" },
      multiValueHeaders: { "set-cookie": ["a", "b"] },
    };
    assert.deepEqual(answerOf("albMulti", jsonPayload(returned)), [200, { "set-cookie": ["a", "b"] }, ""]);
    assert.deepEqual(answerOf("alb", jsonPayload(returned)), [200, { lost: "1" }, ""]);
  });
});

describe("in a function's place", () => {
  const status = (shape: RouteShape, why: Failure) => CODECS[shape].failed(why).status;

  test("a function URL says what AWS's says", () => {
    const bad = CODECS.url.failed("functionFailed");
    assert.deepEqual(told(bad), [502, JSON_TYPE, "Internal Server Error"]);
    assert.deepEqual(CODECS.url.failed("malformed"), bad);
    const [code, headers, body] = told(CODECS.url.failed("forbidden")) ?? [];
    const text =
      "Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html";
    assert.deepEqual(
      [code, headers?.["x-amzn-errortype"], body],
      [403, "AccessDeniedException", JSON.stringify({ Message: text })],
    );
    assert.deepEqual([status("url", "throttled"), status("url", "tooLarge")], [429, 413]);
  });

  test("an HTTP API tells a failed function from one that was not called", () => {
    assert.deepEqual(told(CODECS.http2.failed("malformed")), [
      502,
      JSON_TYPE,
      '{"message":"Internal Server Error"}',
    ]);
    assert.deepEqual([status("http1", "throttled"), status("http1", "late")], [500, 503]);
  });

  test("a REST API writes its texts with a blank", () => {
    const [code, , body] = told(CODECS.rest.failed("malformed")) ?? [];
    assert.deepEqual([code, body], [502, '{"message": "Internal server error"}']);
    const [late, , text] = told(CODECS.rest.failed("late")) ?? [];
    assert.deepEqual([late, text], [504, '{"message": "Endpoint request timed out"}']);
    assert.equal(status("rest", "unavailable"), 500);
  });

  test("a load balancer answers with a page", () => {
    const [code, headers, body] = told(CODECS.alb.failed("throttled")) ?? [];
    assert.deepEqual([code, headers], [502, { "content-type": "text/html" }]);
    assert.match(body ?? "", /<h1>502 Bad Gateway<\/h1>/);
  });
});
