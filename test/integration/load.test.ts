import assert from "node:assert/strict";
import { test } from "node:test";
import { PATIENT, runScenario } from "./load-run.ts";

test("a stream keeps all promises while its engine is killed and its function goes wrong", async (t) => {
  const { status, load, out, result } = await runScenario(
    t,
    `${PATIENT}
source: { shards: 2 }
rate: [{ seconds: 2, perSecond: 50, toPerSecond: 100 }, { seconds: 3, perSecond: 50, burst: { records: 50, everySeconds: 2 } }]
keys: { count: 100, skew: 0.5 }
record: { bytes: 128, bytesMax: 1000 }
function: { timeoutSeconds: 100, latency: { shape: lognormal, ms: 5 }, errors: { throwPercent: 2, partialPercent: 2 } }
faults: [{ atSeconds: 1, kind: throttle, seconds: 0.5 }, { atSeconds: 2, kind: crash, seconds: 0.2 }]
memory: { sampleSeconds: 0.5, collectSeconds: 1 }`,
  );
  assert.equal(status, 0, load.stdout + load.stderr);
  const { ledger, faults, engineStarts, passed, windows, memory } = result();
  assert.equal(passed, true);
  assert.deepEqual(ledger.violations, { lost: 0, outOfOrder: 0, duplicatesBeyondBound: 0, phantoms: 0 });
  assert.deepEqual(
    [ledger.generated, ledger.accepted, ledger.succeeded, ledger.delivered],
    [400, 400, 400, 400],
  );
  assert.deepEqual(
    faults.map(({ kind }) => kind),
    ["throttle", "crash"],
  );
  assert.equal(engineStarts, 2);
  assert.equal(
    windows.reduce((sum, { sent }) => sum + sent, 0),
    400,
  );
  assert.ok(memory.some(({ isCollected, heapBytes }) => isCollected && heapBytes > 0));
  assert.match(load.stdout, /records lost +0 \(0\) holds/);
  assert.match(load.stdout, /Passed\. Report: .*report\.html/);
  assert.match(out("report.html"), /<svg/);
  assert.match(out("engine.log"), /"message":"started"/);
});

test("a FIFO queue keeps the order of its groups while messages fail", async (t) => {
  const { status, load, result } = await runScenario(
    t,
    `${PATIENT}
source: { kind: fifo, visibilitySeconds: 100 }
rate: [{ seconds: 2, perSecond: 50 }]
keys: { count: 10 }
function: { timeoutSeconds: 100, errors: { throttlePercent: 5 } }`,
  );
  assert.equal(status, 0, load.stdout + load.stderr);
  assert.equal(result().ledger.succeeded, 100);
});

test("a module function on a stream is judged in the same way", async (t) => {
  const { status, load, result } = await runScenario(
    t,
    `${PATIENT}
source: { shards: 2 }
rate: [{ seconds: 2, perSecond: 50 }]
function: { kind: module, timeoutSeconds: 100, concurrency: 2, latency: { ms: 2 } }`,
  );
  assert.equal(status, 0, load.stdout + load.stderr);
  assert.equal(result().ledger.succeeded, 100);
});

test("a record that is given up is not lost: the failure destination has it", async (t) => {
  const { status, load, result } = await runScenario(
    t,
    `${PATIENT}
source: { shards: 1 }
rate: [{ seconds: 2, perSecond: 20 }]
mapping: { maximumRetryAttempts: 0, batchSize: 1 }
function: { timeoutSeconds: 100, errors: { throwPercent: 50 } }`,
  );
  assert.equal(status, 0, load.stdout + load.stderr);
  const { ledger } = result();
  assert.ok(ledger.discarded > 0);
  assert.equal(ledger.discarded + ledger.succeeded, 40);
});

test("the last window ends with the test: what comes at the very end is in the plots too", async (t) => {
  const { status, load, result } = await runScenario(
    t,
    `${PATIENT}
rate: [{ seconds: 1, perSecond: 20 }]
function: { timeoutSeconds: 100, latency: { ms: 500 } }`,
  );
  assert.equal(status, 0, load.stdout + load.stderr);
  const { windows, durationMs } = result();
  const last = windows.at(-1);
  assert.deepEqual([last?.atMs, last?.lag, last?.inFlight], [durationMs, 0, 0]);
  assert.equal(
    windows.reduce((sum, { delivered }) => sum + delivered, 0),
    20,
  );
});

test("a threshold that is missed ends with status 1, and a promise that is broken too", async (t) => {
  const missed = await runScenario(
    t,
    `rate: [{ seconds: 1, perSecond: 10 }]\nthresholds: { deliveredPerSecondMin: 1000 }`,
  );
  assert.equal(missed.status, 1, missed.load.stdout + missed.load.stderr);
  assert.match(missed.load.stdout, /records delivered a second +[\d.]+ \(≥ 1000\) MISSED/);
  // The filter lets nothing through: for the function's side, all is lost.
  const lost = await runScenario(
    t,
    `rate: [{ seconds: 1, perSecond: 10 }]
mapping: { filterCriteria: { filters: [{ pattern: '{"data":{"key":[-1]}}' }] } }
drainSeconds: 1`,
  );
  assert.equal(lost.status, 1, lost.load.stdout + lost.load.stderr);
  assert.match(lost.load.stdout, /records lost +10 \(0\) MISSED/);
});

test("a scenario that is not valid ends with status 2 and says why", async (t) => {
  const { status, load } = await runScenario(t, "rate: []");
  assert.equal(status, 2);
  assert.match(load.stderr, /load\.yaml:5:9: spec\.rate: /);
  assert.match(load.stderr, /1 problem\./);
  const mapping = await runScenario(t, "rate: [{ seconds: 1, perSecond: 1 }]\nmapping: { batchSize: 0 }");
  assert.equal(mapping.status, 2);
  assert.match(mapping.load.stderr, /spec\.mapping\.batchSize: /);
});
