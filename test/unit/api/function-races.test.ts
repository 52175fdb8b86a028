import assert from "node:assert/strict";
import { test } from "node:test";
import { CODE, CREATE, FUNCTIONS, FunctionApi, sha256Of, zipWith } from "./function-api.ts";

const PARCELS = `${FUNCTIONS}/parcels`;
const CODE_URL = `${PARCELS}/code`;
const CONFIGURATION = `${PARCELS}/configuration`;
const OWN = zipWith("own");
const OTHER = zipWith("other");
const OTHER_SHA256 = Buffer.from(sha256Of(OTHER), "base64").toString("hex");
const IN_PROGRESS =
  /An update is in progress for resource: arn:aws:lambda:[a-z0-9-]+:\d{12}:function:parcels$/;

/** What the row of the function, or of a part of it, is in the store. */
async function rowOf(api: FunctionApi, kind: string, name: string) {
  const row = (await api.world.mappings.list([kind])).find((each) => each.name === name);
  assert(row !== undefined, `${kind} ${name}`);
  return row;
}

/** The code of another, who asks nobody, comes in the moment after the next write of the function. */
function overtakeOnce(api: FunctionApi): void {
  const store = api.world.mappings;
  const replace = store.replace.bind(store);
  let isDue = true;
  const overtaken: typeof replace = async (row, seenVersion) => {
    const written = await replace(row, seenVersion);
    if (isDue && row.kind === "function" && written.kind === "written") {
      isDue = false;
      const document = JSON.parse(row.document);
      document.generation += 1;
      document.spec.code = { sha256: OTHER_SHA256, bytes: OTHER.length };
      const other = { ...row, document: JSON.stringify(document) };
      assert.equal((await replace(other, written.version)).kind, "written");
    }
    return written;
  };
  Object.assign(store, { replace: overtaken });
}

test("who updates at the same moment is answered with what was sent", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create();
  overtakeOnce(api);
  const { body } = await api.ask("PUT", CODE_URL, { ZipFile: OWN.toString("base64") });
  assert.equal(body["CodeSha256"], sha256Of(OWN));
  const now = (await api.ask("GET", CONFIGURATION)).body;
  assert.equal(now["CodeSha256"], sha256Of(zipWith("other")));
  assert.notEqual(now["RevisionId"], body["RevisionId"]);
  const RevisionId = String(body["RevisionId"]);
  assert.equal((await api.ask("PUT", CONFIGURATION, { Timeout: 9, RevisionId })).status, 412);
});

test("who configures at the same moment is answered with what was sent", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create();
  overtakeOnce(api);
  const { body } = await api.ask("PUT", CONFIGURATION, { Timeout: 9 });
  assert.deepEqual([body["Timeout"], body["CodeSha256"]], [9, sha256Of(CODE)]);
});

test("who publishes with an update is told when another came between, and publishes what was sent else", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create();
  overtakeOnce(api);
  const update = { ZipFile: OWN.toString("base64"), Publish: true };
  const refused = await api.ask("PUT", CODE_URL, update);
  assert.deepEqual([refused.status, refused.fault], [409, "ResourceConflictException"]);
  assert.match(
    refused.text,
    /parcels was changed by others before its version was published\. Send it again\.$/,
  );
  const { Version, CodeSha256 } = (await api.ask("PUT", CODE_URL, update)).body;
  assert.deepEqual([Version, CodeSha256], ["1", sha256Of(OWN)]);
});

for (const [what, url, first, second] of [
  ["code", CODE_URL, { ZipFile: OWN.toString("base64") }, { ZipFile: OTHER.toString("base64") }],
  ["configuration", CONFIGURATION, { Timeout: 9 }, { Timeout: 8 }],
] as const) {
  test(`of two who update ${what} at once one is told that an update is in progress`, async (t) => {
    const api = await FunctionApi.start(t);
    await api.create();
    const store = api.world.mappings;
    const replace = store.replace.bind(store);
    let refused: Awaited<ReturnType<typeof api.ask>> | undefined;
    const asked: typeof replace = async (row, seenVersion) => {
      Object.assign(store, { replace });
      const written = await replace(row, seenVersion);
      refused = await api.ask("PUT", url, second);
      return written;
    };
    Object.assign(store, { replace: asked });
    const { status, body } = await api.ask("PUT", url, first);
    assert.equal(status, 200);
    assert.deepEqual([refused?.status, refused?.fault], [409, "ResourceConflictException"]);
    assert.match(refused?.text ?? "", IN_PROGRESS);
    const now = (await api.ask("GET", CONFIGURATION)).body;
    assert.deepEqual([now["CodeSha256"], now["Timeout"]], [body["CodeSha256"], body["Timeout"]]);
  });
}

test("who began before another's update was written does not write over it", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create();
  const store = api.world.mappings;
  const replace = store.replace.bind(store);
  let other: Awaited<ReturnType<typeof api.ask>> | undefined;
  const overtaken: typeof replace = async (row, seenVersion) => {
    Object.assign(store, { replace });
    other = await api.ask("PUT", CONFIGURATION, { Timeout: 8 });
    return await replace(row, seenVersion);
  };
  Object.assign(store, { replace: overtaken });
  const late = await api.ask("PUT", CONFIGURATION, { Timeout: 9 });
  assert.deepEqual([other?.status, late.status], [200, 409]);
  assert.match(late.text, IN_PROGRESS);
  assert.equal((await api.ask("GET", CONFIGURATION)).body["Timeout"], 8);
});

test("until all processes have an update nobody changes or publishes the function, and then everybody may", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create();
  await api.settle();
  await api.world.start("b");
  const refusals = async () => {
    const answers = [
      await api.ask("PUT", CODE_URL, { ZipFile: OTHER.toString("base64") }),
      await api.ask("PUT", CONFIGURATION, { MemorySize: 1024 }),
      await api.ask("POST", `${PARCELS}/versions`, {}),
    ];
    return answers.map(({ status, text }) => [status, IN_PROGRESS.test(text)]);
  };
  await api.settle();
  assert.equal((await api.ask("PUT", CONFIGURATION, { Timeout: 9 })).status, 200);
  assert.deepEqual(await refusals(), Array(3).fill([409, true]));
  await api.settle();
  assert.equal((await api.ask("PUT", CONFIGURATION, { MemorySize: 1024 })).status, 200);
  await api.settle();
  assert.equal((await api.ask("POST", `${PARCELS}/versions`, {})).status, 201);
});

test("neither tags nor a published version is an update that others would have to wait for", async (t) => {
  const api = await FunctionApi.start(t);
  await api.world.start("b");
  const { body } = await api.create();
  await api.settle();
  const tags = `/2017-03-31/tags/${encodeURIComponent(String(body["FunctionArn"]))}`;
  assert.equal((await api.ask("POST", tags, { Tags: { team: "a" } })).status, 204);
  assert.equal((await api.ask("POST", `${PARCELS}/versions`, {})).status, 201);
  const now = (await api.ask("GET", CONFIGURATION)).body;
  assert.deepEqual([now["State"], now["LastUpdateStatus"]], ["Active", "Successful"]);
  assert.equal((await api.ask("PUT", CONFIGURATION, { Timeout: 9 })).status, 200);
  assert.equal((await api.ask("POST", tags, { Tags: { team: "b" } })).status, 204);
  assert.equal((await api.ask("PUT", CONFIGURATION, { Timeout: 8 })).status, 409);
});

test("a function that is being made is changed by nobody, and published with its own making", async (t) => {
  const api = await FunctionApi.start(t);
  await api.world.start("b");
  assert.equal((await api.create({ Publish: true })).status, 201);
  const { status, text } = await api.ask("PUT", CONFIGURATION, { Timeout: 9 });
  assert.equal(status, 409);
  assert.match(text, /The function is currently in the following state: Pending$/);
});

test("a function that changes while it is deleted is gone, with all that it had", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create({ Publish: true });
  await api.ask("POST", `${PARCELS}/aliases`, { Name: "live", FunctionVersion: "1" });
  const store = api.world.mappings;
  const remove = store.remove.bind(store);
  let changes = 0;
  const changingFirst: typeof remove = async (uid, seenVersion) => {
    const row = await store.get(uid);
    if (row !== undefined && changes++ < 3) await store.replace(row, row.version);
    return await remove(uid, seenVersion);
  };
  Object.assign(store, { remove: changingFirst });
  assert.equal((await api.ask("DELETE", PARCELS)).status, 204);
  assert.equal((await api.ask("GET", PARCELS)).status, 404);
  const kinds = ["function", "version", "alias"];
  const left = (await store.list(kinds)).filter(({ name }) => name.startsWith("parcels"));
  assert.deepEqual(left, []);
});

test("a version that was published while its function was deleted is none of the next function of that name", async (t) => {
  const api = await FunctionApi.start(t);
  await api.create({ Publish: true });
  const version = await rowOf(api, "version", "parcels:1");
  await api.ask("DELETE", PARCELS);
  const late = { ...version, uid: "late", name: "parcels:2" };
  assert.equal((await api.world.mappings.insert(late)).kind, "written");
  assert.equal((await api.ask("POST", FUNCTIONS, CREATE)).status, 201);
  assert.equal((await api.ask("GET", `${PARCELS}?Qualifier=2`)).status, 404);
  const { Versions } = (await api.ask("GET", `${PARCELS}/versions`)).body;
  assert.deepEqual(
    (Versions as readonly { readonly Version: string }[]).map(({ Version }) => Version),
    ["$LATEST"],
  );
});
