import assert from "node:assert/strict";
import { test } from "node:test";
import { ARN, CODE, FUNCTIONS, FunctionApi, OTHER_CODE, sha256Of } from "./function-api.ts";

const PARCELS = `${FUNCTIONS}/parcels`;
const VERSIONS = `${PARCELS}/versions`;
const ALIASES = `${PARCELS}/aliases`;
const CONFIGURATION = `${PARCELS}/configuration`;

async function withVersions(t: Parameters<typeof FunctionApi.start>[0], count: number): Promise<FunctionApi> {
  const api = await FunctionApi.start(t);
  await api.create();
  for (let number = 1; number <= count; number++) {
    await api.ask("PUT", CONFIGURATION, { Description: `version ${number}` });
    assert.equal((await api.ask("POST", VERSIONS, {})).body["Version"], String(number));
  }
  return api;
}

test("a version is what the function was when it was published", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create({ Timeout: 5, Environment: { Variables: { A: "1" } }, Description: "first" });
  const { status, body } = await api.ask("POST", VERSIONS, { Description: "published" });
  assert.equal(status, 201);
  assert.deepEqual(
    [body["Version"], body["FunctionArn"], body["Description"], body["CodeSha256"]],
    ["1", `${ARN}:1`, "published", sha256Of(CODE)],
  );
  await api.ask("PUT", `${PARCELS}/code`, { ZipFile: OTHER_CODE.toString("base64") });
  await api.ask("PUT", CONFIGURATION, { Timeout: 8, Environment: { Variables: { A: "2" } } });
  const version = (await api.ask("GET", `${CONFIGURATION}?Qualifier=1`)).body;
  const { CodeSha256, Timeout, Environment, FunctionArn } = version;
  assert.deepEqual(
    [CodeSha256, Timeout, Environment, FunctionArn],
    [sha256Of(CODE), 5, { Variables: { A: "1" } }, `${ARN}:1`],
  );
  assert.equal((await api.ask("GET", `${FUNCTIONS}/parcels:1`)).status, 200);
  const missing = await api.ask("GET", `${CONFIGURATION}?Qualifier=2`);
  assert.deepEqual([missing.status, missing.text], [404, `Function not found: ${ARN}:2`]);
});

test("a function that was not updated publishes the version it has", async (t) => {
  const api = await withVersions(t, 1);
  const again = await api.ask("POST", VERSIONS, { Description: "another" });
  assert.deepEqual([again.status, again.body["Version"], again.body["Description"]], [201, "1", "version 1"]);
  await api.ask("PUT", "/2017-10-31/functions/parcels/concurrency", { ReservedConcurrentExecutions: 1 });
  await api.ask("POST", `/2017-03-31/tags/${encodeURIComponent(ARN)}`, { Tags: { a: "1" } });
  assert.equal(
    (await api.ask("POST", VERSIONS, {})).body["Version"],
    "1",
    "tags and reservations are no update",
  );
  await api.ask("PUT", CONFIGURATION, { Description: "version 1" });
  assert.equal((await api.ask("POST", VERSIONS, {})).body["Version"], "2", "an update to the same is one");
});

test("code is published with its creation or update, and listed behind $LATEST", async (t) => {
  const api = await FunctionApi.start(t);
  const created = await api.create({ Publish: true });
  assert.deepEqual([created.body["Version"], created.body["FunctionArn"]], ["1", `${ARN}:1`]);
  const ZipFile = OTHER_CODE.toString("base64");
  const updated = await api.ask("PUT", `${PARCELS}/code`, { ZipFile, Publish: true });
  assert.equal(updated.body["Version"], "2");
  const { Versions } = (await api.ask("GET", VERSIONS)).body;
  assert(Array.isArray(Versions));
  assert.deepEqual(
    Versions.map(({ Version, FunctionArn }) => [Version, FunctionArn]),
    [
      ["$LATEST", `${ARN}:$LATEST`],
      ["1", `${ARN}:1`],
      ["2", `${ARN}:2`],
    ],
  );
});

test("many versions are listed in the order of their numbers, page by page", async (t) => {
  const api = await withVersions(t, 11);
  const first = (await api.ask("GET", `${VERSIONS}?MaxItems=10`)).body;
  const rest = (await api.ask("GET", `${VERSIONS}?MaxItems=10&Marker=${first["NextMarker"]}`)).body;
  const all = [first["Versions"], rest["Versions"]].flat() as readonly { readonly Version: string }[];
  assert.deepEqual(
    all.map(({ Version }) => Version),
    ["$LATEST", ..."1234567891".slice(0, 9), "10", "11"],
  );
});

test("a publish that means other code is refused", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create();
  const { status, text } = await api.ask("POST", VERSIONS, { CodeSha256: "x" });
  assert.equal(status, 400);
  assert.equal(
    text,
    `CodeSHA256 (x) is different from current CodeSHA256 in $LATEST (${sha256Of(CODE)}). Please try again with the CodeSHA256 in $LATEST.`,
  );
  assert.equal((await api.ask("POST", VERSIONS, { CodeSha256: sha256Of(CODE) })).status, 201);
});

test("who publishes at the same moment gets the same version", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create();
  const answers = await Promise.all(Array.from({ length: 5 }, () => api.ask("POST", VERSIONS, {})));
  assert.deepEqual(
    answers.map(({ status, body }) => [status, body["Version"]]),
    Array(5).fill([201, "1"]),
  );
});

test("a publish whose process died before it was counted is met by the next", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create();
  const rows = await api.world.mappings.list(["function"]);
  const row = rows.find(({ name }) => name === "parcels");
  assert(row !== undefined);
  const { spec, ...rest } = JSON.parse(row.document);
  const { timeoutSeconds: _function, ...target } = spec;
  const document = JSON.stringify({ ...rest, spec: target });
  const version = { uid: "v", kind: "version", name: "parcels:1", claims: [], document };
  assert.equal((await api.world.mappings.insert(version)).kind, "written");
  assert.equal((await api.ask("POST", VERSIONS, {})).body["Version"], "1", "it is that one");
  await api.ask("PUT", `${PARCELS}/code`, { ZipFile: OTHER_CODE.toString("base64") });
  assert.equal((await api.ask("POST", VERSIONS, {})).body["Version"], "2");
});

test("a version that was left by a publish with another time-out is not taken for the next", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create({ Timeout: 5 });
  const left = (await api.world.mappings.list(["function"])).find(({ name }) => name === "parcels");
  assert.equal((await api.ask("POST", VERSIONS, {})).body["Version"], "1");
  const now = (await api.world.mappings.list(["function"])).find(({ name }) => name === "parcels");
  assert(left !== undefined && now !== undefined);
  // As if the publish had ended before it counted the version.
  const { document } = left;
  assert.equal((await api.world.mappings.replace({ ...now, document }, now.version)).kind, "written");
  await api.settle();
  await api.ask("PUT", CONFIGURATION, { Timeout: 8 });
  const { Version, Timeout } = (await api.ask("POST", VERSIONS, {})).body;
  assert.deepEqual([Version, Timeout], ["2", 8]);
});

test("numbers of versions are never used again, also after the function was deleted", async (t) => {
  const api = await withVersions(t, 2);
  assert.equal((await api.ask("DELETE", `${PARCELS}?Qualifier=2`)).status, 204);
  await api.ask("PUT", CONFIGURATION, { Timeout: 4 });
  assert.equal((await api.ask("POST", VERSIONS, {})).body["Version"], "3");
  await api.ask("DELETE", PARCELS);
  await api.create();
  assert.equal((await api.ask("POST", VERSIONS, {})).body["Version"], "4");
});

test("a version goes alone, unless an alias means it", async (t) => {
  const api = await withVersions(t, 3);
  const weights = { AdditionalVersionWeights: { 2: 0.1 } };
  await api.ask("POST", ALIASES, { Name: "live", FunctionVersion: "1", RoutingConfig: weights });
  for (const number of [1, 2]) {
    const { status, fault, text } = await api.ask("DELETE", `${PARCELS}?Qualifier=${number}`);
    assert.deepEqual([status, fault], [409, "ResourceConflictException"]);
    assert.match(text, /aliases refer to it \(live\)/);
  }
  assert.equal((await api.ask("DELETE", `${FUNCTIONS}/parcels:3`)).status, 204);
  assert.equal((await api.ask("GET", `${PARCELS}?Qualifier=3`)).status, 404);
  assert.match((await api.ask("DELETE", `${PARCELS}?Qualifier=live`)).text, /Deletion of aliases is not/);
  assert.match(
    (await api.ask("DELETE", `${PARCELS}?Qualifier=$LATEST`)).text,
    /\$LATEST version cannot be deleted/,
  );
});

test("an alias stands for a version, and changes with a new revision", async (t) => {
  const api = await withVersions(t, 2);
  const { status, body } = await api.ask("POST", ALIASES, { Name: "live", FunctionVersion: "1" });
  const { RevisionId, ...shape } = body;
  assert.deepEqual(
    [status, shape],
    [201, { AliasArn: `${ARN}:live`, Name: "live", FunctionVersion: "1", Description: "" }],
  );
  const RoutingConfig = { AdditionalVersionWeights: { 2: 0.2 } };
  const update = { Description: "canary", RoutingConfig };
  const updated = (await api.ask("PUT", `${ALIASES}/live`, update)).body;
  assert.deepEqual(
    [updated["FunctionVersion"], updated["Description"], updated["RoutingConfig"]],
    ["1", "canary", RoutingConfig],
  );
  assert.notEqual(updated["RevisionId"], RevisionId);
  const kept = (await api.ask("PUT", `${ALIASES}/live`, {})).body;
  assert.deepEqual([kept["RoutingConfig"], kept["Description"]], [RoutingConfig, "canary"]);
  assert.notEqual(kept["RevisionId"], updated["RevisionId"]);
  const cleared = (await api.ask("PUT", `${ALIASES}/live`, { FunctionVersion: "2", RoutingConfig: {} })).body;
  assert.equal("RoutingConfig" in cleared, false);
  assert.deepEqual((await api.ask("GET", `${ALIASES}/live`)).body, cleared);
  const { status: stale, fault } = await api.ask("PUT", `${ALIASES}/live`, { Description: "x", RevisionId });
  assert.deepEqual([stale, fault], [412, "PreconditionFailedException"]);
  const configuration = (await api.ask("GET", `${CONFIGURATION}?Qualifier=live`)).body;
  assert.deepEqual([configuration["Version"], configuration["FunctionArn"]], ["2", `${ARN}:live`]);
});

test("weights of 0 and 1 are kept, and calls go by them", async (t) => {
  const api = await withVersions(t, 2);
  const RoutingConfig = { AdditionalVersionWeights: { 2: 1 } };
  const { body } = await api.ask("POST", ALIASES, { Name: "all", FunctionVersion: "1", RoutingConfig });
  assert.deepEqual(body["RoutingConfig"], RoutingConfig);
  const none = { AdditionalVersionWeights: { 2: 0 } };
  const zero = await api.ask("POST", ALIASES, { Name: "none", FunctionVersion: "1", RoutingConfig: none });
  assert.deepEqual(zero.body["RoutingConfig"], none);
  for (const [name, version] of [
    ["all", "2"],
    ["none", "1"],
  ]) {
    const { headers } = await api.inject("POST", `${PARCELS}/invocations?Qualifier=${name}`);
    assert.equal(headers["x-amz-executed-version"], version);
  }
});

test("aliases are listed by name, and by the version that they stand for", async (t) => {
  const api = await withVersions(t, 2);
  for (const [Name, FunctionVersion] of [
    ["b", "1"],
    ["a", "2"],
    ["c", "$LATEST"],
  ])
    await api.ask("POST", ALIASES, { Name, FunctionVersion });
  const names = async (query: string) => {
    const { Aliases } = (await api.ask("GET", `${ALIASES}${query}`)).body;
    assert(Array.isArray(Aliases));
    return Aliases.map(({ Name }) => Name);
  };
  assert.deepEqual(await names(""), ["a", "b", "c"]);
  assert.deepEqual(await names("?FunctionVersion=1"), ["b"]);
  assert.equal((await api.ask("DELETE", `${ALIASES}/b`)).status, 204);
  assert.equal((await api.ask("DELETE", `${ALIASES}/never`)).status, 204);
  assert.deepEqual(await names(""), ["a", "c"]);
});

test("aliases that cannot be are refused in AWS's words", async (t) => {
  const api = await withVersions(t, 2);
  await api.ask("POST", ALIASES, { Name: "live", FunctionVersion: "1" });
  const weights = (more: object) => ({ RoutingConfig: { AdditionalVersionWeights: more } });
  const one = { Name: "new", FunctionVersion: "1" };
  const cases: readonly (readonly [object, number, string, string | RegExp])[] = [
    [
      { ...one, ...weights({ 2: 0.1, 3: 0.1 }) },
      400,
      "InvalidParameterValueException",
      "Number of items in AdditionalVersionWeights cannot be greater than 1",
    ],
    [
      { ...one, ...weights({ 2: 2 }) },
      400,
      "ValidationException",
      "1 validation error detected: Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]",
    ],
    [
      { ...one, ...weights({ 1: 0.5 }) },
      400,
      "InvalidParameterValueException",
      "Invalid function version 1. Function version 1 is already included in routing configuration.",
    ],
    [{ ...one, FunctionVersion: "10" }, 404, "ResourceNotFoundException", `Function not found: ${ARN}:10`],
    [
      { Name: "new", FunctionVersion: "$LATEST", ...weights({ 1: 0.5 }) },
      400,
      "InvalidParameterValueException",
      "$LATEST is not supported for an alias pointing to more than 1 version",
    ],
    [{ ...one, Name: "live" }, 409, "ResourceConflictException", `Alias already exists: ${ARN}:live`],
    [{ ...one, Name: "7" }, 400, "ValidationException", /at 'name' failed to satisfy constraint/],
  ];
  for (const [body, status, fault, text] of cases) {
    const answer = await api.ask("POST", ALIASES, body);
    assert.deepEqual([answer.status, answer.fault], [status, fault], JSON.stringify(body));
    if (typeof text === "string") assert.equal(answer.text, text);
    else assert.match(answer.text, text);
  }
  const get = await api.ask("GET", `${ALIASES}/non-existent`);
  assert.deepEqual([get.status, get.text], [404, `Cannot find alias arn: ${ARN}:non-existent`]);
  const put = await api.ask("PUT", `${ALIASES}/non-existent`, {});
  assert.deepEqual([put.status, put.text], [404, `Alias not found: ${ARN}:non-existent`]);
});

test("a name and a query that mean different versions are refused", async (t) => {
  const api = await withVersions(t, 2);
  const { status, text } = await api.ask("GET", `${FUNCTIONS}/parcels:1?Qualifier=2`);
  assert.deepEqual(
    [status, text],
    [400, "The derived qualifier from the function name does not match the specified qualifier."],
  );
});
