import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { preflightAnswer, withCors } from "../../../src/front/cors.ts";
import type { Header } from "../../../src/front/exchange.ts";
import { routeOf } from "./exchange-fixture.ts";

const FULL = {
  allowCredentials: true,
  allowHeaders: ["x-allowed", "content-type"],
  allowMethods: ["GET", "POST"],
  allowOrigins: ["https://allowed.example"],
  exposeHeaders: ["x-owned"],
  maxAge: 321,
};

function corsOf(changes: object = {}) {
  const { cors } = routeOf({ cors: { ...FULL, ...changes } });
  assert(cors !== undefined);
  return cors;
}

const ORIGIN: Header = ["Origin", "https://allowed.example"];
const METHOD: Header = ["Access-Control-Request-Method", "POST"];
const EMPTY = { status: 200, headers: [["content-type", "application/json"]], body: "" };
const GRANTS = [
  ["content-type", "application/json"],
  ["access-control-allow-origin", "https://allowed.example"],
  ["vary", "Origin"],
  ["access-control-allow-credentials", "true"],
  ["access-control-allow-methods", "GET,POST"],
  ["access-control-allow-headers", "x-allowed,content-type"],
  ["access-control-max-age", "321"],
];

describe("a preflight", () => {
  test("is granted what is configured, in an empty 200", () => {
    const asked: Header = ["Access-Control-Request-Headers", "X-Allowed, content-type"];
    assert.deepEqual(preflightAnswer(corsOf(), "OPTIONS", [ORIGIN, METHOD, asked]), {
      ...EMPTY,
      headers: GRANTS,
    });
    assert.deepEqual(preflightAnswer(corsOf(), "OPTIONS", [ORIGIN, METHOD]), { ...EMPTY, headers: GRANTS });
  });

  const refused: readonly (readonly [string, readonly Header[]])[] = [
    ["of another place", [["Origin", "https://other.example"], METHOD]],
    ["for another method", [ORIGIN, ["Access-Control-Request-Method", "DELETE"]]],
    ["for another header", [ORIGIN, METHOD, ["Access-Control-Request-Headers", "x-other"]]],
  ];
  for (const [what, headers] of refused) {
    test(`${what} is an empty 200 without grants`, () => {
      assert.deepEqual(preflightAnswer(corsOf(), "OPTIONS", headers), EMPTY);
    });
  }

  test("is none without a place, without a method, or with another method", () => {
    const cors = corsOf();
    assert.equal(preflightAnswer(cors, "OPTIONS", [METHOD]), undefined);
    assert.equal(preflightAnswer(cors, "OPTIONS", [ORIGIN]), undefined);
    assert.equal(preflightAnswer(cors, "POST", [ORIGIN, METHOD]), undefined);
  });

  test("of everywhere is granted to everywhere, by no name", () => {
    const cors = corsOf({
      allowOrigins: ["*"],
      allowMethods: ["*"],
      allowHeaders: ["*"],
      allowCredentials: false,
    });
    const { headers = [] } =
      preflightAnswer(cors, "OPTIONS", [ORIGIN, ["Access-Control-Request-Method", "PUT"]]) ?? {};
    assert.deepEqual(headers[1], ["access-control-allow-origin", "*"]);
    assert(!headers.some(([name]) => name === "vary"));
  });
});

describe("a response", () => {
  const given: readonly Header[] = [
    ["Access-Control-Allow-Origin", "https://handler.example"],
    ["access-control-expose-headers", "x-handler"],
    ["access-control-allow-methods", "DELETE"],
    ["Vary", "Accept"],
  ];

  test("has what is configured in place of what the function said", () => {
    assert.deepEqual(withCors(given, corsOf(), [ORIGIN]), [
      ["access-control-allow-methods", "DELETE"],
      ["Vary", "Accept"],
      ["access-control-allow-origin", "https://allowed.example"],
      ["vary", "Origin"],
      ["access-control-allow-credentials", "true"],
      ["access-control-expose-headers", "x-owned"],
    ]);
  });

  test("to another place, or to none, is the function's own", () => {
    assert.deepEqual(withCors(given, corsOf(), [["Origin", "https://other.example"]]), given);
    assert.deepEqual(withCors(given, corsOf(), []), given);
  });
});
