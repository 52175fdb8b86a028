import assert from "node:assert/strict";
import { after, test } from "node:test";
import { runChaos } from "../chaos/run-chaos.ts";
import { summaryOf } from "../chaos/summary.ts";
import { startPostgres } from "./postgres.ts";

const HANG = { timeout: 300_000 };
const server = await startPostgres();
after(() => server.close());

test(
  "five processes lose nothing, keep order and never share a shard while they are killed, stopped, paused and cut off",
  HANG,
  async (t) => {
    const options = {
      processes: 5,
      shards: 64,
      records: 20_000,
      kills: 10,
      // Longer than a process takes to start beside other suites: fewer than are wanted take over late.
      everyMs: 4_500,
      seed: 20_261_121,
    };
    const report = await runChaos(options, server, () => undefined);
    t.diagnostic(summaryOf(report, options));
    assert.deepEqual(report.violations, []);
    assert.deepEqual(
      [report.distinct, report.done.kill, report.done.pause, report.done.cut],
      [20_000, 10, 1, 1],
    );
    assert.ok(report.resumes.length > 0 && report.handoverGapsMs.length > 0);
  },
);
