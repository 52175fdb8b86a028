import assert from "node:assert/strict";
import { test } from "node:test";
import { MillraceProcess, until } from "../../integration/cli/millrace-process.ts";
import { startQueueFunction, writeQueueManifest } from "../../integration/queue-run.ts";
import { useAwsEnvironment } from "../aws-environment.ts";
import { startElasticmq } from "../elasticmq.ts";
import { bodies, createPlainQueue, type PlainQueue, redriveTo } from "../plain-queue.ts";
import { QueueWitness } from "./queue-witness.ts";

const MESSAGES = 100_000;
const POISON = ["poison-0", "poison-1", "poison-2", "poison-3", "poison-4"];
const SENDERS = 4;
const KILLS = [0.25, 0.5, 0.75];
/** Receives that may end in a failure of the function. */
const FAILING_RECEIVES = 3;
/**
 * A kill costs a message one receive more: the queue is never empty then, so no long poll of the dead process waits on.
 */
const RECEIVES_MAX = FAILING_RECEIVES + KILLS.length + 1;
const VISIBILITY_SECONDS = 4;
const HANG = { timeout: 600_000 };

test(
  `${MESSAGES} messages, 5 % of invocations and 5 % of messages failing, three kills: none lost, receive counts consistent`,
  HANG,
  async (t) => {
    const server = await startElasticmq();
    t.after(() => server.close());
    useAwsEnvironment({ AWS_ENDPOINT_URL_SQS: server.endpoint });
    await using dead = await createPlainQueue("standard");
    await using queue = await createPlainQueue("standard", {
      VisibilityTimeout: String(VISIBILITY_SECONDS),
      ...redriveTo(dead, RECEIVES_MAX),
    });
    await sendAll(queue, [...POISON, ...Array.from({ length: MESSAGES }, (_, index) => `message-${index}`)]);
    const witness = new QueueWitness({
      invocationShare: 0.05,
      messageShare: 0.05,
      receivesMax: FAILING_RECEIVES,
      isPoison: (body) => body.startsWith("poison"),
    });
    const url = await startQueueFunction(t, (records) => witness.invoked(records));
    const { folder, manifest } = writeQueueManifest(t, {
      eventSourceArn: queue.arn,
      functionSpec: `http: { url: "${url}" }`,
      // With the window it fits into the visibility time-out, so that a hold lasts no longer than that (queues §2.1).
      timeoutSeconds: VISIBILITY_SECONDS - 1,
      settings: [
        "batchSize: 100",
        "maximumBatchingWindowInSeconds: 1",
        "functionResponseTypes: [ReportBatchItemFailures]",
      ],
    });
    const run = () => new MillraceProcess(t, ["run", "-f", manifest, "--api", "off"], folder);

    let millrace = run();
    /** Repeats that kills account for: those that came, and those still to come. */
    let repeatsMax = 0;
    for (const share of KILLS) {
      await progress(witness, share * MESSAGES, millrace);
      millrace.kill("SIGKILL");
      await millrace.ended;
      const deleted = MESSAGES + POISON.length - (await settledDepth(queue)) - (await dead.depth());
      assert.ok(witness.repeats <= repeatsMax, `${witness.repeats} repeats, where ${repeatsMax} may be`);
      // What succeeded and is still on the queue must come again, and nothing else of what succeeded may.
      const open = witness.distinct - deleted;
      assert.ok(open >= 0, `${-open} messages are gone that did not succeed`);
      repeatsMax = witness.repeats + open;
      t.diagnostic(`killed at ${witness.distinct} messages; ${open} of them were not deleted`);
      millrace = run();
    }
    await progress(witness, MESSAGES, millrace);
    await until(
      async () => (await queue.depth()) === 0,
      () => `the queue was not emptied: ${millrace.stderr.slice(-2_000)}`,
      120_000,
    );
    millrace.kill("SIGTERM");
    assert.deepEqual(await millrace.ended, { status: 0, signal: null }, millrace.stderr.slice(-2_000));

    const { invocations, failures, deliveries, listed, repeats } = witness;
    t.diagnostic(
      `${invocations} invocations, ${failures} failed; ${deliveries} deliveries, ${listed} listed; ` +
        `${repeats} messages repeated, of ${repeatsMax} that may`,
    );
    assert.deepEqual(witness.breaches.slice(0, 5), []);
    assert.equal(witness.distinct, MESSAGES);
    assert.deepEqual(bodies(await dead.receive()).toSorted(), POISON);
    for (const body of POISON) assert.ok(witness.receiveCountOf(body) <= RECEIVES_MAX);
    assert.ok(repeats <= repeatsMax, `${repeats} repeats, where ${repeatsMax} may be`);
    assert.ok(failures > 0 && listed > 0);
  },
);

async function progress(witness: QueueWitness, messages: number, millrace: MillraceProcess): Promise<void> {
  await until(
    () => witness.distinct >= messages || witness.breaches.length > 0,
    () => `${witness.distinct} of ${messages} messages succeeded: ${millrace.stderr.slice(-2_000)}`,
    240_000,
  );
}

async function sendAll(queue: PlainQueue, all: readonly string[]): Promise<void> {
  const share = Math.ceil(all.length / SENDERS);
  await Promise.all(
    Array.from({ length: SENDERS }, (_, sender) =>
      queue.send(...all.slice(sender * share, (sender + 1) * share)),
    ),
  );
}

/** What the server had received when its caller died is still done, and answered by the function. */
async function settledDepth(queue: PlainQueue): Promise<number> {
  for (let before = -1; ; ) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    const depth = await queue.depth();
    if (depth === before) return depth;
    before = depth;
  }
}
