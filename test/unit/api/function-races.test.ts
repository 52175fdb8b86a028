import assert from "node:assert/strict";
import { test } from "node:test";
import { CODE, CREATE, FUNCTIONS, FunctionApi, sha256Of, zipWith } from "./function-api.ts";

const PARCELS = `${FUNCTIONS}/parcels`;
const CODE_URL = `${PARCELS}/code`;
const CONFIGURATION = `${PARCELS}/configuration`;
const OWN = zipWith("own");

/** What the row of the function, or of a part of it, is in the store. */
async function rowOf(api: FunctionApi, kind: string, name: string) {
  const row = (await api.world.mappings.list([kind])).find((each) => each.name === name);
  assert(row !== undefined, `${kind} ${name}`);
  return row;
}

/** The code of another comes in the moment after the next write of the function. */
function overtakeOnce(api: FunctionApi): void {
  const store = api.world.mappings;
  const replace = store.replace.bind(store);
  let isDue = true;
  const overtaken: typeof replace = async (row, seenVersion) => {
    const written = await replace(row, seenVersion);
    if (isDue && row.kind === "function" && written.kind === "written") {
      isDue = false;
      const other = await api.ask("PUT", CODE_URL, { ZipFile: zipWith("other").toString("base64") });
      assert.equal(other.status, 200);
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
