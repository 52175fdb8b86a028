import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RouteTable } from "../../../src/front/route-table.ts";
import { routeOf } from "./exchange-fixture.ts";

const DOMAIN = "lambda-url.eu-west-1.localhost";
const ANY = "127.0.0.1";

function api(name: string, path: string, spec: object = {}) {
  return routeOf({ shape: "http2", path, ...spec }, name);
}

const TABLE = new RouteTable(
  [
    routeOf({}, "Orders_url"),
    routeOf({ host: "hooks.example.com" }, "named"),
    api("pet", "/pets/{id}"),
    api("get-pet", "/pets/{id}", { methods: ["GET"] }),
    api("own-pet", "/pets/mine"),
    api("toys", "/pets/{owner}/toys/{toy}"),
    api("all-pets", "/pets/{proxy+}"),
    api("root", "/"),
    api("staged", "/pets/{id}", { stage: "prod" }),
    api("staged-root", "/", { stage: "prod" }),
    api("staged-default", "$default", { stage: "prod" }),
    api("hosted", "/pets/{id}", { host: "api.example.com" }),
    api("files", "/files/{proxy+}", { methods: ["GET"] }),
  ],
  DOMAIN,
);

function found(host: string, path: string, method = "POST"): readonly [string, object] | undefined {
  const match = TABLE.find(host, path, method);
  return match && [match.route.name, match.pathParameters];
}

describe("a request goes", () => {
  const ways: readonly (readonly [
    host: string,
    path: string,
    method: string,
    way: string | undefined,
    object?,
  ])[] = [
    ["orders-url.lambda-url.eu-west-1.localhost", "/any/thing", "PUT", "Orders_url"],
    ["hooks.example.com", "/", "GET", "named"],
    ["other.lambda-url.eu-west-1.localhost", "/nothing/here", "GET", undefined],
    [ANY, "/pets/7", "POST", "pet", { id: "7" }],
    [ANY, "/pets/7", "GET", "get-pet", { id: "7" }],
    [ANY, "/pets/mine", "GET", "own-pet"],
    [ANY, "/pets/a%20b", "GET", "get-pet", { id: "a b" }],
    [ANY, "/pets/m%69ne", "GET", "own-pet"],
    [ANY, "/pets/ann/toys/ball", "GET", "toys", { owner: "ann", toy: "ball" }],
    [ANY, "/pets/ann/toys", "GET", "all-pets", { proxy: "ann/toys" }],
    [ANY, "/pets//double-slash", "GET", "all-pets", { proxy: "/double-slash" }],
    [ANY, "/pets/a%2Fb", "GET", "get-pet", { id: "a/b" }],
    [ANY, "/pets/", "GET", undefined],
    [ANY, "/pets", "GET", undefined],
    [ANY, "/", "GET", "root"],
    [ANY, "/prod/pets/7", "GET", "staged", { id: "7" }],
    [ANY, "/prod", "GET", "staged-root"],
    [ANY, "/prod/", "GET", "staged-root"],
    [ANY, "/prod/what/ever", "GET", "staged-default"],
    ["api.example.com", "/pets/7", "GET", "hosted", { id: "7" }],
    ["api.example.com", "/pets/mine", "GET", "hosted", { id: "mine" }],
    ["api.example.com", "/files/a/b", "GET", "files", { proxy: "a/b" }],
    [ANY, "/files/a", "POST", undefined],
    [ANY, "/nowhere", "GET", undefined],
  ];
  for (const [host, path, method, way, parameters = {}] of ways) {
    test(`${way === undefined ? "nowhere" : `to ${way}`} for ${method} ${host}${path}`, () => {
      assert.deepEqual(found(host, path, method), way === undefined ? undefined : [way, parameters]);
    });
  }
});

test("a long path of no route is refused without looking at all of it", () => {
  assert.equal(found(ANY, `/nowhere${"/x".repeat(8_000)}`), undefined);
  const [name, { proxy }] = (found(ANY, `/pets/a${"/x".repeat(8_000)}`) ?? []) as [string, { proxy: string }];
  assert.deepEqual([name, proxy.length], ["all-pets", 16_001]);
});
