import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { openStreamFile } from "../../connectors/local/stream-file.ts";
import {
  checkFifo,
  checkStandard,
  FIFO_BODIES,
  runPowertools,
  STANDARD_BODIES,
  VISIBILITY_SECONDS,
} from "./powertools-queue.ts";
import { provesSingleDelivery } from "./slow-queue-function.ts";

interface QueueOfRun {
  readonly eventSourceArn: string;
  readonly settings: readonly string[];
  send(bodies: readonly string[]): void;
  depth(): number;
}

/** A queue in a file of its own. On a FIFO queue the group is the body's first letter. */
function createQueue(t: TestContext, name: string, visibilitySeconds: number): QueueOfRun {
  const folder = mkdtempSync(join(tmpdir(), "millrace-local-"));
  const path = join(folder, "queues.db");
  const file = openStreamFile(path);
  const queue = file.createQueue({ name, visibilityMs: visibilitySeconds * 1_000 });
  t.after(() => {
    file.close();
    rmSync(folder, { recursive: true });
  });
  return {
    eventSourceArn: `arn:aws:local:eu-west-1:000000000000:queue/${name}`,
    settings: [`endpoints: { LOCAL_FILE: ["${path}"] }`],
    send(bodies) {
      queue.send(bodies.map((body) => (queue.isFifo ? { body, groupId: body.slice(0, 1) } : { body })));
    },
    depth() {
      const { visible, held, delayed } = queue.depth();
      return visible + held + delayed;
    },
  };
}

describe("a function that takes most of the visibility time-out sees once", { concurrency: true }, () => {
  for (const [name, bodies] of [
    ["jobs", ["a1", "a2", "a3", "a4", "a5", "a6"]],
    ["jobs.fifo", ["a1", "a2", "a3", "b1", "b2", "b3"]],
  ] as const) {
    test(`messages of ${name} that wait for longer than that`, async (t) => {
      const queue = createQueue(t, name, 2);
      await provesSingleDelivery(t, {
        ...queue,
        timeoutSeconds: 2,
        share: 0.7,
        bodies,
        settings: [...queue.settings, "batchSize: 1", "scalingConfig: { maximumConcurrency: 2 }"],
      });
    });
  }
});

describe("Powertools' batch processing runs unchanged", { concurrency: true }, () => {
  test("standard: records that throw come again, and only these", async (t) => {
    const queue = createQueue(t, "jobs", VISIBILITY_SECONDS);
    queue.send(STANDARD_BODIES);
    checkStandard(await runPowertools(t, "standard", queue));
  });

  for (const handler of ["fifo", "fifoByGroupAsync"] as const) {
    test(`FIFO, "${handler}": a failed record and what is behind it come again in order`, async (t) => {
      const queue = createQueue(t, "jobs.fifo", VISIBILITY_SECONDS);
      queue.send(FIFO_BODIES);
      checkFifo(handler, await runPowertools(t, handler, queue));
    });
  }
});
