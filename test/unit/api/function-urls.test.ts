import assert from "node:assert/strict";
import { test } from "node:test";
import { ARN, FUNCTIONS, FunctionApi } from "./function-api.ts";

const URL_CONFIG = "/2021-10-31/functions/parcels/url";
const NONE = { AuthType: "NONE" };
const NO_URL = "The resource you requested does not exist.";

async function withAlias(t: Parameters<typeof FunctionApi.start>[0]): Promise<FunctionApi> {
  const api = await FunctionApi.start(t);
  await api.create({ Publish: true });
  await api.ask("POST", `${FUNCTIONS}/parcels/aliases`, { Name: "live", FunctionVersion: "1" });
  return api;
}

test("a function's URL is made, shown, changed, listed and taken back", async (t) => {
  const api = await withAlias(t);
  const cors = { AllowOrigins: ["https://app.example.com"], AllowMethods: ["GET"], MaxAge: 60 };
  const made = await api.ask("POST", URL_CONFIG, { ...NONE, Cors: cors });
  assert.equal(made.status, 201);
  const { FunctionUrl, CreationTime, LastModifiedTime, ...rest } = made.body;
  assert.match(String(FunctionUrl), /^http:\/\/[0-9a-z]{32}\.lambda-url\.eu-west-1\.localhost\/$/);
  assert.match(String(CreationTime), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  assert.equal(LastModifiedTime, CreationTime);
  assert.deepEqual(rest, { FunctionArn: ARN, AuthType: "NONE", Cors: cors, InvokeMode: "BUFFERED" });
  assert.deepEqual((await api.ask("GET", URL_CONFIG)).body, made.body);

  const changed = await api.ask("PUT", URL_CONFIG, { AuthType: "AWS_IAM", InvokeMode: "RESPONSE_STREAM" });
  assert.deepEqual(
    [changed.status, changed.body["FunctionUrl"], changed.body["AuthType"], changed.body["InvokeMode"]],
    [200, FunctionUrl, "AWS_IAM", "RESPONSE_STREAM"],
  );
  assert.deepEqual(changed.body["Cors"], cors, "what was left out stays");
  assert.equal((await api.ask("PUT", URL_CONFIG, { Cors: {} })).body["Cors"], undefined);

  await api.ask("POST", `${URL_CONFIG}?Qualifier=live`, NONE);
  const { FunctionUrlConfigs: all } = (await api.ask("GET", `${URL_CONFIG}s`)).body;
  assert(Array.isArray(all));
  assert.deepEqual(all.map(({ FunctionArn }) => FunctionArn).sort(), [ARN, `${ARN}:live`]);

  assert.equal((await api.ask("DELETE", URL_CONFIG)).status, 204);
  const gone = await api.ask("GET", URL_CONFIG);
  assert.deepEqual([gone.status, gone.fault, gone.text], [404, "ResourceNotFoundException", NO_URL]);
});

test("a process knows a URL as soon as it is made, and forgets it when the function goes", async (t) => {
  const api = await withAlias(t);
  await api.ask("POST", URL_CONFIG, NONE);
  assert.deepEqual(
    api.plane.routes.routes.map(({ functionName, path }) => [functionName, path]),
    [["parcels", undefined]],
  );
  await api.ask("DELETE", `${FUNCTIONS}/parcels`);
  assert.deepEqual(api.plane.routes.routes, []);
});

test("all routes are listed with their addresses, and what is in their way", async (t) => {
  const api = await withAlias(t);
  const { FunctionUrl } = (await api.ask("POST", URL_CONFIG, NONE)).body;
  const { routes } = (await api.ask("GET", "/millrace/v1/routes")).body;
  assert(Array.isArray(routes));
  const [{ name: _name, reasons, ...route }] = routes;
  assert.deepEqual(
    reasons.map(({ code }: { readonly code: string }) => code),
    ["frontOff"],
  );
  assert.deepEqual(route, {
    shape: "url",
    functionName: "parcels",
    url: FunctionUrl,
    methods: [],
    authType: "NONE",
    invokeMode: "BUFFERED",
    problem: "This process listens for no HTTP requests. Start it with --front HOST:PORT.",
  });
});

test("a URL that is there already is refused in AWS's words", async (t) => {
  const api = await withAlias(t);
  await api.ask("POST", URL_CONFIG, NONE);
  const again = await api.ask("POST", URL_CONFIG, NONE);
  const text = `Failed to create function url config for [functionArn = ${ARN}]. Error message:  FunctionUrlConfig exists for this Lambda function`;
  assert.deepEqual([again.status, again.fault, again.text], [409, "ResourceConflictException", text]);
});

test("a URL stays when its alias goes, and is of it when it comes back", async (t) => {
  const api = await withAlias(t);
  const made = await api.ask("POST", `${URL_CONFIG}?Qualifier=live`, NONE);
  await api.ask("DELETE", `${FUNCTIONS}/parcels/aliases/live`);
  assert.deepEqual((await api.ask("GET", `${URL_CONFIG}?Qualifier=live`)).body, made.body);
});

test("what cannot be is refused in AWS's words", async (t) => {
  const api = await withAlias(t);
  const refusals: readonly (readonly [
    "POST" | "GET" | "PUT" | "DELETE",
    string,
    object | undefined,
    string,
    string,
  ])[] = [
    [
      "POST",
      "/2021-10-31/functions/nobody/url",
      NONE,
      "ResourceNotFoundException",
      "Function does not exist",
    ],
    ["PUT", "/2021-10-31/functions/nobody/url", NONE, "ResourceNotFoundException", "Function does not exist"],
    [
      "GET",
      "/2021-10-31/functions/nobody/urls",
      undefined,
      "ResourceNotFoundException",
      "Function does not exist",
    ],
    ["GET", "/2021-10-31/functions/nobody/url", undefined, "ResourceNotFoundException", NO_URL],
    ["DELETE", "/2021-10-31/functions/nobody/url", undefined, "ResourceNotFoundException", NO_URL],
    ["PUT", URL_CONFIG, NONE, "ResourceNotFoundException", NO_URL],
    ["POST", `${URL_CONFIG}?Qualifier=other`, NONE, "ResourceNotFoundException", "Function does not exist"],
    [
      "POST",
      `${URL_CONFIG}?Qualifier=1`,
      NONE,
      "ValidationException",
      "1 validation error detected: Value '1' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)",
    ],
    [
      "POST",
      "/2021-10-31/functions/parcels:live/url?Qualifier=other",
      NONE,
      "InvalidParameterValueException",
      "The derived qualifier from the function name does not match the specified qualifier.",
    ],
    [
      "POST",
      URL_CONFIG,
      {},
      "ValidationException",
      "1 validation error detected: Value null at 'authType' failed to satisfy constraint: Member must not be null",
    ],
    [
      "POST",
      URL_CONFIG,
      { AuthType: "NONE", InvokeMode: "FAST" },
      "ValidationException",
      "1 validation error detected: Value 'FAST' at 'invokeMode' failed to satisfy constraint: Member must satisfy enum value set: [RESPONSE_STREAM, BUFFERED]",
    ],
    [
      "POST",
      URL_CONFIG,
      { AuthType: "NONE", Cors: { MaxAge: 86_401 } },
      "ValidationException",
      "1 validation error detected: Value '86401' at 'cors.maxAge' failed to satisfy constraint: Member must have value less than or equal to 86400",
    ],
  ];
  for (const [method, url, body, fault, text] of refusals) {
    const answer = await api.ask(method, url, body);
    assert.deepEqual([answer.fault, answer.text], [fault, text], `${method} ${url}`);
  }
});
