import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { MillraceProcess, until } from "./cli/millrace-process.ts";
import { startQueueFunction, writeQueueManifest } from "./queue-run.ts";

export interface SlowFunctionRun {
  readonly eventSourceArn: string;
  /** At most the queue's visibility time-out. */
  readonly timeoutSeconds: number;
  /** How much of its time-out the function takes. */
  readonly share: number;
  /** Unique. */
  readonly bodies: readonly string[];
  /** Lines of the mapping's spec. */
  readonly settings: readonly string[];
  /** Once millrace has started. */
  send(bodies: readonly string[]): void | Promise<void>;
  /** Messages of the queue, held ones too. */
  depth(): number | Promise<number>;
}

/**
 * Proves that each message is given to the function once, by its first receive, however long it waited for its turn.
 */
export async function provesSingleDelivery(t: TestContext, run: SlowFunctionRun): Promise<void> {
  const deliveries: string[] = [];
  const url = await startQueueFunction(t, async (records) => {
    for (const { body, attributes } of records)
      deliveries.push(`${body}:${attributes.ApproximateReceiveCount}`);
    await sleep(run.timeoutSeconds * 1_000 * run.share);
    return {};
  });
  const { folder, manifest } = writeQueueManifest(t, {
    eventSourceArn: run.eventSourceArn,
    functionSpec: `http: { url: "${url}" }`,
    timeoutSeconds: run.timeoutSeconds,
    settings: run.settings,
  });
  const millrace = new MillraceProcess(t, ["run", "-f", manifest, "--api", "off"], folder);
  await millrace.logged("started");
  await run.send(run.bodies);
  await until(
    async () => deliveries.length >= run.bodies.length && (await run.depth()) === 0,
    () => `${deliveries.join(" ")}: ${millrace.stderr}`,
    60_000,
  );
  millrace.kill("SIGTERM");
  assert.deepEqual(await millrace.ended, { status: 0, signal: null }, millrace.stderr);
  assert.deepEqual(deliveries.toSorted(), run.bodies.map((body) => `${body}:1`).toSorted());
}
