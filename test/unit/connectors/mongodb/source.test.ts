import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { prepareClient } from "../../../../connectors/mongodb/client.ts";
import { MongoCluster, openCluster } from "../../../../connectors/mongodb/cluster.ts";
import { ChangeReader } from "../../../../connectors/mongodb/reader.ts";
import type { MongoSettings } from "../../../../connectors/mongodb/settings.ts";
import { oldestPlace } from "../../../../connectors/mongodb/start-place.ts";
import { MillraceError, processingResultOf } from "../../../../src/model/errors.ts";
import type { ShardRead, ShardReader, StreamSource } from "../../../../src/ports/stream-source.ts";
import { mongoSettingsOf, openChangeSource } from "../../../contract/mongodb-harness.ts";
import { itemAt, NO_ABORT, OLDEST } from "../../../contract/stream-source-harness.ts";
import { MongoTwin, type TwinOptions } from "../../../servers/mongodb-twin/mongodb-twin.ts";

const SHARD = "shop.orders";
const READS_MAX = 40;
/** As long as a test waits for a server that is not there. */
const ANSWER_MS_MAX = 1_000;

interface Change {
  readonly operationType: string;
  readonly documentKey?: { readonly _id: unknown };
  readonly fullDocument?: unknown;
  readonly updateDescription?: unknown;
  readonly ns?: { readonly coll: string };
}

async function started(options: TwinOptions = {}, more: Partial<MongoSettings> = {}) {
  const twin = new MongoTwin(options);
  await twin.listen();
  twin.data.make("shop", "orders");
  const settings = mongoSettingsOf(twin.endpoint, { historyLost: "stop", ...more });
  const source = await openChangeSource(settings, ANSWER_MS_MAX);
  return {
    twin,
    source,
    put: (id: string, document: object = {}) => twin.data.update("shop", "orders", id, document, true),
    async [Symbol.asyncDispose]() {
      await source.close();
      await twin.close();
    },
  };
}

/** Reads until so many changes have come, or one more read where none are waited for. */
async function changes(source: StreamSource, reader: ShardReader, count: number): Promise<readonly Change[]> {
  const found: Change[] = [];
  for (let reads = 0; reads < READS_MAX && (found.length < count || count === 0); reads++) {
    const { records } = await reader.read(100, 1_000_000, NO_ABORT);
    const event = JSON.parse(Buffer.from(source.events.encode(records, undefined)).toString());
    found.push(...event.events.map(({ event: change }: { event: Change }) => change));
    if (count === 0) break;
  }
  return found;
}

function named(found: readonly Change[]): readonly unknown[] {
  return found.map(({ operationType, documentKey }) => [operationType, documentKey?._id]);
}

async function failureOf(work: () => Promise<unknown>): Promise<MillraceError> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof MillraceError, String(error));
    return error;
  }
  return assert.fail("nothing failed");
}

describe("a change stream", () => {
  test("gives what was done to documents, and an update with what it changed", async () => {
    await using at = await started();
    const reader = await at.source.openReader(SHARD, OLDEST, NO_ABORT);
    at.put("a", { n: 1 });
    at.put("a", { $set: { n: 2 } });
    at.put("a", { n: 3 });
    at.twin.data.delete("shop", "orders", "a");
    const found = await changes(at.source, reader, 4);
    assert.deepEqual(named(found), [
      ["insert", "a"],
      ["update", "a"],
      ["replace", "a"],
      ["delete", "a"],
    ]);
    const update = itemAt(found, 1);
    assert.deepEqual(update.updateDescription, {
      removedFields: [],
      truncatedArrays: [],
      updatedFields: { n: 2 },
    });
    assert.equal(update.fullDocument, undefined);
    await reader.close();
  });

  test("gives an update with its document as it is now, where it is looked up", async () => {
    await using at = await started({}, { fullDocument: "UpdateLookup" });
    at.put("a", { n: 1, rest: true });
    at.put("a", { $set: { n: 2 } });
    at.put("b", {});
    at.put("b", { $set: { n: 2 } });
    at.twin.data.delete("shop", "orders", "b");
    const reader = await at.source.openReader(SHARD, OLDEST, NO_ABORT);
    const found = await changes(at.source, reader, 5);
    const updates = found.filter(({ operationType }) => operationType === "update");
    assert.deepEqual(
      updates.map(({ fullDocument }) => fullDocument),
      [{ _id: "a", n: 2, rest: true }, null],
    );
    await reader.close();
  });

  test("of a database gives the changes of all its collections", async () => {
    await using at = await started({}, { collection: undefined });
    at.put("a");
    at.twin.data.update("shop", "customers", "b", {}, true);
    at.twin.data.update("elsewhere", "orders", "c", {}, true);
    at.put("d");
    const reader = await at.source.openReader("shop", OLDEST, NO_ABORT);
    const found = await changes(at.source, reader, 3);
    assert.deepEqual(
      found.map(({ ns, documentKey }) => [ns?.coll, documentKey?._id]),
      [
        ["orders", "a"],
        ["customers", "b"],
        ["orders", "d"],
      ],
    );
    await reader.close();
  });

  test("goes on with a collection that is made anew behind the end of its stream, in any process", async () => {
    await using at = await started();
    const reader = await at.source.openReader(SHARD, OLDEST, NO_ABORT);
    at.put("a");
    at.twin.data.drop("shop", "orders");
    const found = await changes(at.source, reader, 3);
    assert.deepEqual(named(found), [
      ["insert", "a"],
      ["drop", undefined],
      ["invalidate", undefined],
    ]);
    const { lookedTo = "" } = await reader.read(1, 1, NO_ABORT);
    at.put("b");
    assert.deepEqual(named(await changes(at.source, reader, 1)), [["insert", "b"]]);
    const other = await at.source.openReader(SHARD, { kind: "after", position: lookedTo }, NO_ABORT);
    assert.deepEqual(named(await changes(at.source, other, 1)), [["insert", "b"]]);
    await Promise.all([reader.close(), other.close()]);
  });

  test("does not go back before the end of a stream, where a server names the time of it", async () => {
    await using at = await started();
    const reader = await at.source.openReader(SHARD, OLDEST, NO_ABORT);
    at.put("a");
    at.twin.data.drop("shop", "orders");
    await changes(at.source, reader, 3);
    const { lookedTo } = await reader.read(1, 1, NO_ABORT);
    assert.match(lookedTo ?? "", /!$/);
    await reader.close();
  });

  test("that ended is gone on with from the very change that ended it", async () => {
    await using at = await started();
    at.put("a");
    at.twin.data.drop("shop", "orders");
    const reader = await at.source.openReader(SHARD, OLDEST, NO_ABORT);
    const { records } = await reader.read(3, 1_000_000, NO_ABORT);
    at.put("b");
    const { position } = itemAt(records, 2);
    const other = await at.source.openReader(SHARD, { kind: "after", position }, NO_ABORT);
    assert.deepEqual(named(await changes(at.source, other, 1)), [["insert", "b"]]);
    await Promise.all([reader.close(), other.close()]);
  });

  test("keeps its place in the log while only others write, and the log forgets the rest", async () => {
    await using at = await started();
    at.put("a");
    const reader = await at.source.openReader(SHARD, OLDEST, NO_ABORT);
    await changes(at.source, reader, 1);
    let place: string | undefined;
    for (let round = 0; round < 3; round++) {
      at.twin.log.aheadMs += 60_000;
      at.twin.data.update("shop", "customers", `c-${round}`, {}, true);
      place = (await reader.read(1, 1, NO_ABORT)).lookedTo;
      place = (await reader.read(1, 1, NO_ABORT)).lookedTo ?? place;
      at.twin.log.trimBefore(at.twin.log.nowMs - 1_000);
    }
    assert.ok(place !== undefined);
    at.put("b");
    const other = await at.source.openReader(SHARD, { kind: "after", position: place }, NO_ABORT);
    assert.deepEqual(named(await changes(at.source, other, 1)), [["insert", "b"]]);
    await Promise.all([reader.close(), other.close()]);
  });
});

describe("a change stream whose history is lost", () => {
  async function lost(historyLost: MongoSettings["historyLost"], options: TwinOptions = {}) {
    const at = await started(options, { historyLost });
    at.put("gone-1");
    at.put("gone-2");
    const first = await at.source.openReader(SHARD, OLDEST, NO_ABORT);
    const { records } = await first.read(1, 1_000_000, NO_ABORT);
    await first.close();
    at.twin.log.aheadMs += 60_000;
    at.put("kept");
    at.twin.log.trimBefore(at.twin.log.nowMs - 10_000);
    const start = { kind: "after", position: itemAt(records, 0).position } as const;
    const reader = await at.source.openReader(SHARD, start, NO_ABORT);
    return { at, reader };
  }

  test("stops with a reason, and goes on once somebody has chosen", async () => {
    const { at, reader } = await lost("stop");
    await using _twin = at;
    const failure = await failureOf(() => reader.read(10, 1_000_000, NO_ABORT));
    assert.match(
      failure.message,
      /no longer has the changes.*286 ChangeStreamHistoryLost.*historyLost: oldest/s,
    );
    assert.deepEqual([failure.code, failure.fault], ["ERR_MILLRACE_SOURCE_UNAVAILABLE", "refused"]);
    const again = await failureOf(() => reader.read(10, 1_000_000, NO_ABORT));
    assert.equal(again.message, failure.message);
    await reader.close();
  });

  for (const hidesLog of [false, true]) {
    const who = hidesLog ? "a user who may not look into the log" : "a user who may";
    test(`goes on with the oldest change, and says what is missing, for ${who}`, async () => {
      const { at, reader } = await lost("oldest", { hidesLog });
      await using _twin = at;
      const read = await reader.read(10, 1_000_000, NO_ABORT);
      assert.deepEqual([read.trimmed, read.records.map(({ key }) => key)], [true, ["kept"]]);
      assert.equal((await reader.read(10, 1_000_000, NO_ABORT)).trimmed, false);
      await reader.close();
    });
  }

  test("goes on with what comes next, and says what is missing", async () => {
    const { at, reader } = await lost("latest");
    await using _twin = at;
    const read = await reader.read(10, 1_000_000, NO_ABORT);
    assert.deepEqual([read.trimmed, read.records.length], [true, 0]);
    at.put("next");
    assert.deepEqual(named(await changes(at.source, reader, 1)), [["insert", "next"]]);
    await reader.close();
  });
});

describe("a change that is larger than the server can send", () => {
  test("is given up alone: those before and behind it are whole", async () => {
    await using at = await started();
    at.put("a", { n: 1 });
    at.put("b", { n: 2 });
    at.put("large", { padding: "x".repeat(16 * 1024 * 1024) });
    at.put("c", { n: 3 });
    const reader = await at.source.openReader(SHARD, OLDEST, NO_ABORT);
    const reads: ShardRead[] = [];
    const keys = () => reads.flatMap(({ records }) => records.map(({ key, damage }) => [key, damage]));
    while (keys().length < 4 && reads.length < READS_MAX) reads.push(await reader.read(10, 1e9, NO_ABORT));
    assert.deepEqual(keys(), [
      ["a", undefined],
      ["b", undefined],
      ["large", "is larger than the server can send"],
      ["c", undefined],
    ]);
    await reader.close();
  });
});

describe("a cluster in trouble", () => {
  const passing: readonly (readonly [name: string, code: number, codeName: string])[] = [
    ["whose cursor is gone", 43, "CursorNotFound"],
    ["whose primary stepped down", 10_107, "NotWritablePrimary"],
    ["that was interrupted", 11_600, "InterruptedAtShutdown"],
    ["that shuts down", 91, "ShutdownInProgress"],
  ];
  for (const [name, code, codeName] of passing) {
    test(`${name} is read on with, without a loss`, async () => {
      await using at = await started();
      const reader = await at.source.openReader(SHARD, OLDEST, NO_ABORT);
      at.put("a");
      await changes(at.source, reader, 1);
      at.twin.failNext(["getMore"], { ok: 0, code, codeName, errmsg: codeName });
      at.put("b");
      assert.deepEqual(named(await changes(at.source, reader, 1)), [["insert", "b"]]);
      await reader.close();
    });
  }

  test("that closes its connections is read on with, without a loss", async () => {
    await using at = await started();
    const reader = await at.source.openReader(SHARD, OLDEST, NO_ABORT);
    at.put("a");
    await changes(at.source, reader, 1);
    at.twin.dropConnections();
    at.put("b");
    assert.deepEqual(named(await changes(at.source, reader, 1)), [["insert", "b"]]);
    await reader.close();
  });

  test("that is silent is asked anew, and read on with", async () => {
    await using at = await started();
    at.put("a");
    const settings = mongoSettingsOf(at.twin.endpoint);
    const cluster = await openCluster(settings);
    const reader = new ChangeReader({
      cluster,
      place: await oldestPlace(cluster, NO_ABORT),
      historyLost: "stop",
      logId: SHARD,
      knownLogId: undefined,
      silenceMsMax: 100,
    });
    await changes(at.source, reader, 1);
    at.twin.failNext(["getMore"], "silence");
    at.put("b");
    const reads: ShardRead[] = [];
    for (let count = 0; count < 3; count++) reads.push(await reader.read(1, 1_000_000, NO_ABORT));
    assert.deepEqual(
      reads.flatMap(({ records }) => records.map(({ key }) => key)),
      ["b"],
    );
    await reader.close();
    await cluster.close();
  });

  test("is asked by another client when the driver finds no server", async () => {
    await using at = await started();
    const settings = mongoSettingsOf(at.twin.endpoint);
    const makeGood = await prepareClient(settings, ANSWER_MS_MAX);
    const makeLost = await prepareClient(
      { ...settings, endpoints: ["mongodb://127.0.0.1:9/?tls=false"] },
      100,
    );
    const makers = [makeLost, makeGood];
    const cluster = new MongoCluster(() => (makers.shift() ?? makeGood)(), settings);
    const failure = await failureOf(() => cluster.latestPosition(NO_ABORT));
    assert.equal(failure.fault, "passing");
    assert.match(await cluster.latestPosition(NO_ABORT), /^82/);
    await cluster.close();
  });

  test("that fails again and again says so at each read, and is read on with when it works", async () => {
    await using at = await started();
    const reader = await at.source.openReader(SHARD, OLDEST, NO_ABORT);
    at.put("a");
    const answer = { ok: 0, code: 8_000, codeName: "AtlasError", errmsg: "overloaded" };
    at.twin.failNext(["aggregate"], answer, 4);
    for (let round = 0; round < 2; round++) {
      const failure = await failureOf(() => reader.read(10, 1_000_000, NO_ABORT));
      assert.match(failure.message, /cannot be read now \(8000 AtlasError\): overloaded/);
    }
    assert.deepEqual(named(await changes(at.source, reader, 1)), [["insert", "a"]]);
    await reader.close();
  });
});

describe("a cluster that cannot be read", () => {
  const USERS = [{ username: "reader", password: "will-o-the-wisp" }];
  process.env["MONGO_TWIN_GOOD"] = JSON.stringify(USERS[0]);
  process.env["MONGO_TWIN_BAD"] = JSON.stringify({ username: "reader", password: "jack-o-lantern" });
  const login = (name: string) => [{ type: "BASIC_AUTH", uri: `env:${name}` }] as const;

  test("lets in who has the password, by SCRAM-SHA-256", async () => {
    await using at = await started({ users: USERS }, { logins: login("MONGO_TWIN_GOOD") });
    assert.equal((await at.source.listShards(NO_ABORT)).length, 1);
    assert.deepEqual([at.twin.taken.get("saslContinue") !== undefined], [true]);
  });

  const refusals: readonly (readonly [
    name: string,
    options: TwinOptions,
    more: Partial<MongoSettings>,
    fault: string,
    text: RegExp,
    result?: string,
  ])[] = [
    [
      "for a wrong password",
      { users: USERS },
      { logins: login("MONGO_TWIN_BAD") },
      "credentials",
      /refused the login.*authSource/s,
      "EVENT_SOURCE_AUTHN_ERROR",
    ],
    ["for its age", { maxWireVersion: 8 }, {}, "refused", /is too old: MongoDB 4.4 or DocumentDB 5.0/],
    [
      "for a missing database",
      {},
      { database: "nowhere" },
      "notFound",
      /There is no database "nowhere" at mongodb:\/\/127.0.0.1/,
    ],
  ];
  for (const [name, options, more, fault, text, result] of refusals) {
    test(`says so: ${name}`, async () => {
      await using at = await started(options, more);
      const failure = await failureOf(() => at.source.listShards(NO_ABORT));
      assert.equal(failure.fault, fault, failure.message);
      assert.match(failure.message, text);
      assert.equal(processingResultOf(failure), result);
      assert.doesNotMatch(JSON.stringify(failure) + failure.message, /will-o-the-wisp|jack-o-lantern/);
    });
  }

  const answers: readonly (readonly [
    name: string,
    code: number,
    codeName: string,
    fault: string,
    text: RegExp,
  ])[] = [
    ["for a missing right", 13, "Unauthorized", "denied", /may not read the change stream of "shop.orders"/],
    ["for a token of another cluster", 260, "InvalidResumeToken", "refused", /does not know the place/],
    [
      "for an option that it does not know",
      40_415,
      "Location40415",
      "refused",
      /refused what was asked \(40415/,
    ],
    [
      "for a stage that it does not have",
      40_324,
      "Location40324",
      "refused",
      /refused what was asked \(40324/,
    ],
  ];
  for (const [name, code, codeName, fault, text] of answers) {
    test(`says so: ${name}`, async () => {
      await using at = await started();
      at.twin.failNext(["aggregate"], { ok: 0, code, codeName, errmsg: "no" }, 2);
      const failure = await failureOf(() => at.source.captureLatest(SHARD, NO_ABORT));
      assert.equal(failure.fault, fault, failure.message);
      assert.match(failure.message, text);
    });
  }

  test("says so: for it is no replica set", async () => {
    await using at = await started({ isAlone: true });
    const failure = await failureOf(() => at.source.captureLatest(SHARD, NO_ABORT));
    assert.equal(failure.fault, "refused");
    assert.match(failure.message, /no member of a replica set.*--replSet/s);
  });

  test("says so: for nobody is there", async () => {
    const at = await started();
    await at.twin.close();
    const failure = await failureOf(() => at.source.listShards(NO_ABORT));
    assert.match(failure.message, /cannot be reached, or has no primary/);
    assert.equal(failure.fault, "passing");
    await at.source.close();
  });

  test("asks for fewer calls", async () => {
    await using at = await started();
    at.twin.failNext(["aggregate"], { ok: 0, code: 16_500, codeName: "Throttled", errmsg: "slow" }, 2);
    const failure = await failureOf(() => at.source.captureLatest(SHARD, NO_ABORT));
    assert.equal(failure.code, "ERR_MILLRACE_SOURCE_THROTTLED");
  });
});

describe("a mapping that names another collection", () => {
  test("reads that one from its oldest change, and says so", async () => {
    await using at = await started();
    at.put("a");
    const start = { kind: "after", position: "82FFFFFFFF" } as const;
    const reader = await at.source.openReader(SHARD, start, NO_ABORT, "shop.customers");
    const { anew, records } = await reader.read(10, 1_000_000, NO_ABORT);
    assert.deepEqual([anew?.because, records.length], ["remade", 0]);
    assert.deepEqual(named(await changes(at.source, reader, 1)), [["insert", "a"]]);
    await reader.close();
  });
});
