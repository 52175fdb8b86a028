import assert from "node:assert/strict";
import { test } from "node:test";
import { type ReadLoopOptions, runReadLoop } from "../../../../src/engine/stream/read-loop.ts";
import { ReadNotes } from "../../../../src/engine/stream/read-notes.ts";
import { SourceOutages } from "../../../../src/engine/stream/source-outages.ts";
import { RepeatedLines } from "../../../../src/lib/repeated-lines.ts";
import { Slots } from "../../../../src/lib/slots.ts";
import { MillraceError } from "../../../../src/model/errors.ts";
import type { Clock } from "../../../../src/ports/clock.ts";
import type { ShardRead } from "../../../../src/ports/stream-source.ts";

const QUOTA_MS = 7;
const NOTHING: ShardRead = {
  records: [],
  endOfShard: false,
  lagMs: 1,
  readAgainAfterMs: QUOTA_MS,
  trimmed: false,
};

/** Time passes as soon as somebody waits for it; how long each wait was is kept. */
function eagerClock(): { readonly clock: Clock; readonly waits: number[] } {
  const waits: number[] = [];
  let nowMs = 0;
  const schedule = (delayMs: number, fire: () => void) => {
    waits.push(delayMs);
    const call = setImmediate(() => {
      nowMs += delayMs;
      fire();
    });
    return { cancel: () => clearImmediate(call) };
  };
  return { clock: { now: () => nowMs, monotonic: () => nowMs, schedule }, waits };
}

/** The waits after failures, of a shard that fails at every other read; between them it says `between`. */
async function backOffOf(between: ShardRead): Promise<readonly number[]> {
  const { clock, waits } = eagerClock();
  const stop = new AbortController();
  let reads = 0;
  const read = async () => {
    if (++reads > 12) stop.abort();
    if (reads % 2 === 0) return between;
    throw new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", "It is away.");
  };
  const telemetry = { mark() {}, count() {}, log() {} } as never;
  const options: Partial<ReadLoopOptions> = {
    mappingName: "orders",
    shardId: "shard-1",
    source: { description: {}, openReader: async () => ({ read, close: async () => undefined }) } as never,
    start: { kind: "oldest" },
    clock,
    telemetry,
    outages: new SourceOutages(clock, { next: () => 1, uuid: () => "" }),
    notes: new ReadNotes(clock),
    inquiry: { seen() {} } as never,
    lines: new RepeatedLines(clock, telemetry),
    limits: { backoffBaseMs: 100, backoffCapMs: 5_000 },
    reads: new Slots(1),
    stopSignal: stop.signal,
    room: async () => ({ recordsMax: 10, bytesMax: 1_000 }),
    onRead: () => undefined,
    onRoomUsed: () => {},
    onFailure: () => undefined,
  };
  await runReadLoop(options as ReadLoopOptions);
  return waits.filter((ms) => ms !== QUOTA_MS);
}

test("a read that heard nothing of its source does not begin the back-off anew", async () => {
  const waits = await backOffOf({ ...NOTHING, nothingHeard: true });
  assert.deepEqual(waits.slice(0, 5), [100, 200, 400, 800, 1_600]);
});

test("a read that the source answered does, also with nothing", async () => {
  const waits = await backOffOf(NOTHING);
  assert.deepEqual(waits.slice(0, 5), [100, 100, 100, 100, 100]);
});
