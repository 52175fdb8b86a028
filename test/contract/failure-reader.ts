import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type FailureRecord, failureDocument, failureEnvelope } from "../../src/model/failure-record.ts";
import type { Destination } from "../../src/ports/destination.ts";
import type { FailureReader, FoundFailure } from "../../src/ports/failure-reader.ts";
import { sampleFailure } from "./destination.ts";

export interface FailureReaderHarness {
  createPlace(): Promise<FailureReaderFixture>;
  /** A failure as the destination takes it, with so many records. */
  sample?(id: string, mapping: string, records: number): FailureRecord;
  /** What it keeps of a sample's document. */
  documentOf?(record: FailureRecord): Readonly<Record<string, unknown>>;
  /** Its messages are of one record each. */
  readonly isByRecord?: boolean;
}

export interface FailureReaderFixture extends AsyncDisposable {
  openDestination(): Promise<Destination>;
  openReader(): Promise<FailureReader>;
  /** Puts something there that is no failure. */
  litter(): Promise<void>;
  /** Takes everything away that is there. */
  clear?(): Promise<void>;
}

const NO_ABORT = new AbortController().signal;
const MAPPING = "11111111-1111-4111-8111-111111111111";
const OTHER = "22222222-2222-4222-8222-222222222222";
const ALL = { mapping: MAPPING, sinceMs: 0, untilMs: Number.MAX_SAFE_INTEGER };
const DAY_MS = 86_400_000;

/** The laws of `src/ports/failure-reader.ts` as named behaviours, which every adapter runs. */
export function describeFailureReaderContract(name: string, harness: FailureReaderHarness): void {
  const sample = harness.sample ?? plainSample;
  const deliver = async (destination: Destination, record: FailureRecord) => {
    const delivered = await destination.deliver(failureEnvelope(record), NO_ABORT);
    assert.ok(delivered !== undefined, "it tells no place");
    return delivered.at;
  };

  describe(`${name} keeps the laws of a reader of failures`, { timeout: 120_000 }, () => {
    test("finds what was delivered where the destination said that it is", async () => {
      await using fixture = await harness.createPlace();
      const [destination, reader] = [await fixture.openDestination(), await fixture.openReader()];
      const records = ["a", "größe/🜚", "c"].map((id) => sample(`${MAPPING}/${id}`, MAPPING, 3));
      const places: string[] = [];
      for (const record of records) places.push(await deliver(destination, record));
      for (const [at, record] of records.entries()) {
        const kept = await reader.read(places[at] ?? "", NO_ABORT);
        assert.equal(kept?.failureId, record.id);
        assert.deepEqual(kept?.document, documentOf(harness, record));
        assertPayload(kept?.events ?? [], record, harness.isByRecord === true);
      }
    });

    test("finds those that were delivered at once, each at its own place", async () => {
      await using fixture = await harness.createPlace();
      const destination = await fixture.openDestination();
      const ids = Array.from({ length: 30 }, (_, at) => `${MAPPING}/${at}`);
      const places = await Promise.all(ids.map((id) => deliver(destination, sample(id, MAPPING, 1))));
      const reader = await fixture.openReader();
      for (const [at, id] of ids.entries())
        assert.equal((await reader.read(places[at] ?? "", NO_ABORT))?.failureId, id);
    });

    test("says of what is not there that it is not", async () => {
      await using fixture = await harness.createPlace();
      const destination = await fixture.openDestination();
      const at = await deliver(destination, sample(`${MAPPING}/a`, MAPPING, 1));
      const reader = await fixture.openReader();
      assert.equal(await reader.read("nowhere", NO_ABORT), undefined);
      if (fixture.clear === undefined) return;
      await fixture.clear();
      assert.equal(await reader.read(at, NO_ABORT), undefined);
    });

    test("gives all failures of a mapping, each at the place where it is found, and no other", async () => {
      await using fixture = await harness.createPlace();
      const destination = await fixture.openDestination();
      const ids = Array.from({ length: 5 }, (_, at) => `${MAPPING}/${at}`);
      await fixture.litter();
      for (const id of ids) await deliver(destination, sample(id, MAPPING, 2));
      await deliver(destination, sample(`${OTHER}/x`, OTHER, 2));
      await fixture.litter();
      const reader = await fixture.openReader();
      const found = await scanned(reader);
      assert.deepEqual([...new Set(found.map(({ failureId }) => failureId))].sort(), ids);
      assert.equal(found.length, harness.isByRecord === true ? ids.length * 2 : ids.length);
      for (const { at, failureId, summary } of found) {
        assert.equal((await reader.read(at, NO_ABORT))?.failureId, failureId);
        assert.equal(summary.condition, "RetryAttemptsExhausted");
        assert.equal(summary.shardId, sample("x", MAPPING, 1).batch.shardId);
      }
    });

    test("gives those of a time", async () => {
      await using fixture = await harness.createPlace();
      const destination = await fixture.openDestination();
      const dayMs = sampleFailure("x").timestampMs;
      for (const day of [-2, -1, 0, 1, 2]) {
        const record = sample(`${MAPPING}/${day}`, MAPPING, 1);
        await deliver(destination, { ...record, timestampMs: dayMs + day * DAY_MS });
      }
      const reader = await fixture.openReader();
      const bounds = { mapping: MAPPING, sinceMs: dayMs - DAY_MS, untilMs: dayMs + DAY_MS };
      const ids = (await scanned(reader, bounds)).map(({ failureId = "" }) => failureId);
      assert.deepEqual(ids.sort(), [`${MAPPING}/-1`, `${MAPPING}/0`]);
    });

    test("gives nothing of a place that holds nothing", async () => {
      await using fixture = await harness.createPlace();
      const reader = await fixture.openReader();
      assert.deepEqual(await scanned(reader), []);
      await reader.close();
    });
  });
}

async function scanned(reader: FailureReader, bounds = ALL): Promise<readonly FoundFailure[]> {
  const found: FoundFailure[] = [];
  for await (const each of reader.scan(bounds, NO_ABORT)) found.push(each);
  return found;
}

function documentOf(harness: FailureReaderHarness, record: FailureRecord) {
  return harness.documentOf === undefined ? failureDocument(record) : harness.documentOf(record);
}

function assertPayload(events: readonly Uint8Array[], { payload }: FailureRecord, isByRecord: boolean): void {
  if (isByRecord) assert.equal(events.length, 3);
  else assert.deepEqual(events.map(String), [String(payload)]);
}

function plainSample(id: string, mapping: string): FailureRecord {
  return { ...sampleFailure(id), mappingUuid: mapping };
}
