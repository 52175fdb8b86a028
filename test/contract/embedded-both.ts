import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type ErrorCode, hasErrorCode } from "../../src/model/errors.ts";
import type { EmbeddedSources, QueueKeeper, StreamKeeper } from "../../src/ports/embedded-sources.ts";

export interface EmbeddedSourcesHarness<Keeper> {
  readonly sources: EmbeddedSources<Keeper>;
  /** For a process of its own: the module and the function that makes `sources` from the name of their endpoint. */
  readonly module: string;
  readonly make: string;
  /** ARNs of something else. */
  readonly foreign: readonly string[];
  /** A place that holds nothing yet. */
  createPlace(): Promise<{ readonly at: string } & AsyncDisposable>;
}

const PLACE = { region: "eu-west-1", account: "123456789012" };
const PUTTER = fileURLToPath(new URL("embedded-putter.ts", import.meta.url));
/** More than one transaction of any adapter takes. */
const MANY = 2_500;
/** Answers that a process is killed behind. */
const KILLED_AT = 12;

/** What streams and queues have in common. */
export interface Both<Keeper> {
  /** In sentences: each is the name of one test. */
  readonly source: string;
  readonly item: string;
  create(keeper: Keeper, name: string): Promise<boolean>;
  put(keeper: Keeper, name: string, texts: readonly string[]): Promise<readonly { readonly kind: string }[]>;
  /** Text that no source takes. */
  readonly bad: string;
  /** All that it holds, the oldest first. */
  read(keeper: Keeper, name: string): Promise<readonly string[]>;
}

export function describeBoth<Keeper extends StreamKeeper | QueueKeeper>(
  harness: EmbeddedSourcesHarness<Keeper>,
  named: string,
  { source, item, create, put, bad, read }: Both<Keeper>,
): void {
  const { sources } = harness;

  test(`reads the name of a ${source} from its own ARNs only`, () => {
    assert.equal(sources.nameOf(sources.arnOf(named, PLACE)), named);
    for (const arn of harness.foreign) assert.equal(sources.nameOf(arn), undefined, arn);
  });

  test(`makes the place of a ${source} when it may, and says that there is none when it may not`, async () => {
    await using place = await harness.createPlace();
    await rejects(sources.open(place.at, false), "ERR_MILLRACE_SOURCE_NOT_FOUND");
    const keeper = await sources.open(place.at, true);
    assert.deepEqual(await keeper.names(), []);
    await keeper.close();
    await keeper.close();
    await (await sources.open(place.at, false)).close();
  });

  behaviour(harness, `makes one ${source} of a name, however many ask at once`, async (keeper) => {
    const made = await Promise.all(Array.from({ length: 5 }, () => create(keeper, named)));
    assert.equal(made.filter(Boolean).length, 1);
    assert.equal(await create(keeper, named), false);
    assert.deepEqual(await keeper.names(), [named]);
    assert.equal((await keeper.find(named))?.name, named);
    assert.deepEqual([await keeper.has(named), await keeper.has("other")], [true, false]);
    assert.equal(await keeper.find("other"), undefined);
  });

  behaviour(
    harness,
    `refuses alone a ${item} that is not valid, and stores the others in their order`,
    async (keeper) => {
      await create(keeper, named);
      const outcomes = await put(keeper, named, ["1", bad, "2", bad, "3"]);
      const kinds = outcomes.map(({ kind }) => kind);
      assert.deepEqual(kinds, ["stored", "refused", "stored", "refused", "stored"]);
      assert.deepEqual(await read(keeper, named), ["1", "2", "3"]);
    },
  );

  behaviour(harness, `stores no ${item} where there is no such ${source}, and says so`, async (keeper) => {
    await create(keeper, named);
    await rejects(put(keeper, `no-${named}`, ["1"]), "ERR_MILLRACE_SOURCE_NOT_FOUND");
    await rejects(read(keeper, `no-${named}`), "ERR_MILLRACE_SOURCE_NOT_FOUND");
    assert.deepEqual(await read(keeper, named), []);
  });

  behaviour(
    harness,
    `stores each ${item} of a call in its order, and behind those of calls before`,
    async (keeper) => {
      await create(keeper, named);
      const texts = Array.from({ length: MANY }, (_, index) => String(index));
      for (const part of [texts.slice(0, 2_000), texts.slice(2_000)])
        assert.ok((await put(keeper, named, part)).every(({ kind }) => kind === "stored"));
      assert.deepEqual(await read(keeper, named), texts);
    },
  );

  test(`a ${item} that one has stored, another that opens the place reads`, async () => {
    await using place = await harness.createPlace();
    const [one, other] = [await sources.open(place.at, true), await sources.open(place.at, true)];
    await create(one, named);
    await put(one, named, ["1"]);
    await put(other, named, ["2"]);
    assert.deepEqual(await read(one, named), ["1", "2"]);
    for (const keeper of [one, other]) await keeper.close();
    const later = await sources.open(place.at, false);
    assert.deepEqual(await read(later, named), ["1", "2"]);
    await later.close();
  });

  test(`a ${item} that was answered as stored outlives a kill of the process`, async () => {
    await using place = await harness.createPlace();
    const first = await sources.open(place.at, true);
    await create(first, named);
    await first.close();
    const words = [harness.module, harness.make, sources.endpointName, place.at, named];
    const putter = spawn(process.execPath, [PUTTER, ...words], { stdio: ["ignore", "pipe", "inherit"] });
    const told: string[] = [];
    for await (const line of createInterface({ input: putter.stdout })) {
      told.push(line);
      if (told.length === KILLED_AT) putter.kill("SIGKILL");
    }
    assert.ok(told.length >= KILLED_AT, `it told ${told.length}`);
    const keeper = await sources.open(place.at, false);
    const kept = await read(keeper, named);
    await keeper.close();
    assert.deepEqual(kept.slice(0, told.length), told, "all that was told, in its order");
  });
}

export function behaviour<Keeper extends StreamKeeper | QueueKeeper>(
  { sources, createPlace }: EmbeddedSourcesHarness<Keeper>,
  sentence: string,
  prove: (keeper: Keeper) => Promise<void>,
): void {
  test(sentence, async () => {
    await using place = await createPlace();
    const keeper = await sources.open(place.at, true);
    try {
      await prove(keeper);
    } finally {
      await keeper.close();
    }
  });
}

async function rejects(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(promise, (error) => hasErrorCode(error, code));
}
