import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type FailureRecord,
  failureDocument,
  failureDocumentWithPayload,
  failureEnvelope,
} from "../../src/model/failure-record.ts";
import type { Destination } from "../../src/ports/destination.ts";
import { rejectsWith } from "./rejects-with.ts";

export interface DestinationHarness {
  /** It tells where it keeps what it accepted. */
  readonly tellsPlaces: boolean;
  /** The documents carry the event that failed, as AWS's do in S3 and not in SQS or SNS. */
  readonly carriesPayload: boolean;
  createDestination(): Promise<DestinationFixture>;
  /** Of destinations that take one source's records only, in documents of their own. */
  readonly special?: {
    sampleFailure(id: string): FailureRecord;
    documentsOf(record: FailureRecord): readonly AcceptedDocument[];
    /** What it refuses for good, with `ERR_MILLRACE_DESTINATION_REJECTED`. */
    readonly refused: FailureRecord;
  };
}

/** A destination of its own for one test. Disposing closes all handles that were opened on it. */
export interface DestinationFixture extends AsyncDisposable {
  open(): Promise<Destination>;
  /** What the destination has durably accepted, as its consumer reads it, in any order. */
  accepted(): Promise<readonly AcceptedDocument[]>;
  /** From now on nothing is accepted, until it is set back. */
  setAvailable(isAvailable: boolean): Promise<void>;
}

export interface AcceptedDocument {
  readonly id: string;
  readonly document: unknown;
}

const NO_ABORT = new AbortController().signal;
/** Stops a test that hangs; no behaviour is judged by it. */
const HANG = { timeout: 120_000 };

/** The laws of `src/ports/destination.ts`. Every adapter, simulated or real, runs them. */
export function describeDestinationContract(name: string, harness: DestinationHarness): void {
  describe(`Destination contract: ${name}`, HANG, () => {
    describeAcceptance(harness);
    describeRefusal(harness);
  });
}

function describeAcceptance(harness: DestinationHarness): void {
  const sampleFailure = harness.special?.sampleFailure ?? plainSample;
  const expected = (record: FailureRecord): readonly AcceptedDocument[] => {
    if (harness.special !== undefined) return harness.special.documentsOf(record);
    const document = harness.carriesPayload ? failureDocumentWithPayload(record) : failureDocument(record);
    return [{ id: record.id, document }];
  };

  test("has accepted AWS's document when a delivery resolves", async () => {
    await using fixture = await harness.createDestination();
    const destination = await fixture.open();
    await destination.deliver(failureEnvelope(sampleFailure("a")), NO_ABORT);
    assert.deepEqual([...(await fixture.accepted())].sort(byIdOrder), expected(sampleFailure("a")));
  });

  test("accepts every kind of failure record", { skip: harness.special !== undefined }, async () => {
    await using fixture = await harness.createDestination();
    const destination = await fixture.open();
    const plain = sampleFailure("a");
    const { records: _, ...withoutRecords } = plain.batch;
    const window = {
      startMs: 0,
      endMs: 60_000,
      isFinalInvokeForWindow: true,
      isWindowTerminatedEarly: false,
    };
    const records: readonly FailureRecord[] = [
      { ...plain, id: "age", condition: "RecordAgeExceeded", response: undefined },
      { ...plain, id: "partial", response: { functionError: null } },
      { ...plain, id: "no-payload", payload: undefined },
      { ...plain, id: "window", window, batch: { ...withoutRecords, records: undefined } },
      { ...plain, id: "line\nbreak", functionArn: 'arn:"größe"\r\n\u2028漢字' },
    ];
    for (const record of records) await destination.deliver(failureEnvelope(record), NO_ABORT);
    const byId = new Map((await fixture.accepted()).map((accepted) => [accepted.id, accepted]));
    for (const record of records) assert.deepEqual([byId.get(record.id)], expected(record));
  });

  test("tells where it keeps what it accepted, each at a place of its own", {
    skip: !harness.tellsPlaces,
  }, async () => {
    await using fixture = await harness.createDestination();
    const [one, other] = [await fixture.open(), await fixture.open()];
    const ids = Array.from({ length: 20 }, (_, index) => `id-${index}`);
    const places = await Promise.all(
      ids.map((id, index) =>
        (index % 2 === 0 ? one : other).deliver(failureEnvelope(sampleFailure(id)), NO_ABORT),
      ),
    );
    assert.equal(new Set(places.map((delivered) => delivered?.at)).size, ids.length);
    assert.ok(places.every((delivered) => delivered !== undefined));
  });

  test("accepts deliveries that run at once, each of them", async () => {
    await using fixture = await harness.createDestination();
    const destination = await fixture.open();
    const records = Array.from({ length: 100 }, (_, index) => sampleFailure(`id-${index}`));
    await Promise.all(records.map((record) => destination.deliver(failureEnvelope(record), NO_ABORT)));
    const accepted = [...(await fixture.accepted())].sort(byIdOrder);
    assert.deepEqual(accepted, records.flatMap(expected).sort(byIdOrder));
  });

  test("a record delivered twice is the same document with the same id", async () => {
    await using fixture = await harness.createDestination();
    const destination = await fixture.open();
    await destination.deliver(failureEnvelope(sampleFailure("a")), NO_ABORT);
    await destination.deliver(failureEnvelope(sampleFailure("a")), NO_ABORT);
    const accepted = await fixture.accepted();
    const once = expected(sampleFailure("a"));
    assert.ok(accepted.length >= once.length && accepted.length <= 2 * once.length);
    for (const each of accepted)
      assert.deepEqual(
        each,
        once.find(({ id }) => id === each.id),
      );
  });

  test("keeps what it accepted when it is closed and opened again", async () => {
    await using fixture = await harness.createDestination();
    const first = await fixture.open();
    await first.deliver(failureEnvelope(sampleFailure("a")), NO_ABORT);
    await first.close();
    const second = await fixture.open();
    await second.deliver(failureEnvelope(sampleFailure("b")), NO_ABORT);
    const accepted = [...(await fixture.accepted())].sort(byIdOrder);
    assert.deepEqual(accepted, [sampleFailure("a"), sampleFailure("b")].flatMap(expected));
  });

  test("accepts the largest event there is", {
    skip: !harness.carriesPayload || harness.special !== undefined,
  }, async () => {
    await using fixture = await harness.createDestination();
    const destination = await fixture.open();
    const record = { ...sampleFailure("a"), payload: Buffer.alloc(6 * 1024 * 1024, '{"data":"x"}') };
    await destination.deliver(failureEnvelope(record), NO_ABORT);
    const [accepted] = await fixture.accepted();
    assert.ok(JSON.stringify([accepted]) === JSON.stringify(expected(record)), "the document differs");
  });
}

function describeRefusal(harness: DestinationHarness): void {
  const { special } = harness;
  const sampleFailure = special?.sampleFailure ?? plainSample;
  const isDelivered = (accepted: readonly AcceptedDocument[], id: string) =>
    accepted.some((each) => each.id === id || (special !== undefined && each.id.startsWith(`${id}/`)));

  test("refuses for good what it can never hold", { skip: special === undefined }, async () => {
    if (special === undefined) return;
    await using fixture = await harness.createDestination();
    const destination = await fixture.open();
    await rejectsWith("ERR_MILLRACE_DESTINATION_REJECTED", () =>
      destination.deliver(failureEnvelope(special.refused), NO_ABORT),
    );
    assert.deepEqual(await fixture.accepted(), []);
  });

  test("a destination that does not accept now says so, and accepts a later try", async () => {
    await using fixture = await harness.createDestination();
    const destination = await fixture.open();
    await fixture.setAvailable(false);
    await rejectsWith("ERR_MILLRACE_DESTINATION_UNAVAILABLE", () =>
      destination.deliver(failureEnvelope(sampleFailure("a")), NO_ABORT),
    );
    await fixture.setAvailable(true);
    await destination.deliver(failureEnvelope(sampleFailure("a")), NO_ABORT);
    assert.ok(isDelivered(await fixture.accepted(), "a"));
  });

  test("a delivery with an aborted signal rejects as aborted, and the next one works", async () => {
    await using fixture = await harness.createDestination();
    const destination = await fixture.open();
    await rejectsWith("ERR_MILLRACE_ABORTED", () =>
      destination.deliver(failureEnvelope(sampleFailure("a")), AbortSignal.abort()),
    );
    await destination.deliver(failureEnvelope(sampleFailure("b")), NO_ABORT);
    assert.ok(isDelivered(await fixture.accepted(), "b"));
  });

  test("closing twice does no harm", async () => {
    await using fixture = await harness.createDestination();
    const destination = await fixture.open();
    await destination.close();
    await destination.close();
  });
}

function byIdOrder(a: AcceptedDocument, b: AcceptedDocument): number {
  return a.id < b.id ? -1 : 1;
}

export function sampleFailure(id: string): FailureRecord {
  return {
    id,
    mappingUuid: "11111111-1111-4111-8111-111111111111",
    requestId: "c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5",
    functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:orders",
    condition: "RetryAttemptsExhausted",
    approximateInvokeCount: 2,
    response: { functionError: "Unhandled" },
    timestampMs: Date.UTC(2019, 10, 14, 0, 38, 6, 21),
    batch: {
      infoName: "KinesisBatchInfo",
      shardId: "shardId-000000000001",
      eventSourceArn: "arn:aws:kinesis:eu-west-1:123456789012:stream/orders",
      bootstrapServers: undefined,
      arrivalPrecision: "milliseconds",
      records: {
        startPosition: "49601189658422359378836298521827638475320189012309704722",
        endPosition: "49601189658422359378836298522902373528957594348623495186",
        firstArrivalMs: Date.UTC(2019, 10, 14, 0, 38, 4, 835),
        lastArrivalMs: Date.UTC(2019, 10, 14, 0, 38, 5, 580),
        count: 500,
      },
    },
    payload: Buffer.from('{"Records":[]}'),
    window: undefined,
  };
}

const plainSample = sampleFailure;
