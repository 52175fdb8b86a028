import assert from "node:assert/strict";
import { test } from "node:test";
import { MillraceProcess, until } from "../../integration/cli/millrace-process.ts";
import {
  failuresOf,
  type SqsRecord,
  startQueueFunction,
  writeQueueManifest,
} from "../../integration/queue-run.ts";
import { useAwsEnvironment } from "../aws-environment.ts";
import { startElasticmq } from "../elasticmq.ts";
import { bodies, createPlainQueue, redriveTo } from "../plain-queue.ts";

const GROUPS = 200;
const PER_GROUP = 100;
const POISON = "g7/40";
const RECEIVES_BEFORE_REDRIVE = 3;
const HANG = { timeout: 600_000 };

test(
  `FIFO, ${GROUPS} groups of ${PER_GROUP}: each in order, none blocked by another, only the poison in the dead-letter queue`,
  HANG,
  async (t) => {
    const server = await startElasticmq();
    t.after(() => server.close());
    useAwsEnvironment({ AWS_ENDPOINT_URL_SQS: server.endpoint });
    await using dead = await createPlainQueue("fifo");
    await using queue = await createPlainQueue("fifo", {
      // Longer than a busy machine stands still: a message that comes again counts as out of order here.
      VisibilityTimeout: "10",
      ...redriveTo(dead, RECEIVES_BEFORE_REDRIVE),
    });
    const witness = new FifoWitness();
    const url = await startQueueFunction(t, (records) => witness.invoked(records));
    const { folder, manifest } = writeQueueManifest(t, {
      eventSourceArn: queue.arn,
      functionSpec: `http: { url: "${url}" }`,
      timeoutSeconds: 3,
      // Its function lists what failed and not what stands behind it.
      settings: ["batchSize: 10", "functionResponseTypes: [ReportBatchItemFailures]", "strictAwsFifo: false"],
    });
    const millrace = new MillraceProcess(t, ["run", "-f", manifest, "--api", "off"], folder);
    const messages = Array.from({ length: GROUPS * PER_GROUP }, (_, index) => {
      return `g${index % GROUPS}/${Math.floor(index / GROUPS)}`;
    });
    await Promise.all(
      // Groups are shared out to senders, so that each group's messages are sent in order.
      [0, 1, 2, 3].map((sender) =>
        queue.send(...messages.filter((body) => Number(groupOf(body).slice(1)) % 4 === sender)),
      ),
    );
    await until(
      () => witness.succeeded === GROUPS * PER_GROUP - 1,
      () => `${witness.succeeded} succeeded: ${millrace.stderr.slice(-2_000)}`,
      400_000,
    );
    millrace.kill("SIGTERM");
    assert.deepEqual(await millrace.ended, { status: 0, signal: null }, millrace.stderr.slice(-2_000));
    assert.deepEqual(witness.breaches.slice(0, 5), []);
    assert.equal(witness.poisonTries, RECEIVES_BEFORE_REDRIVE);
    assert.ok(witness.othersDuringPoison > 0, "other groups went on while one was blocked");
    assert.deepEqual(bodies(await dead.receive()), [POISON]);
    assert.equal(await queue.depth(), 0);
    t.diagnostic(`${witness.invocations} invocations, at most ${witness.groupsAtOnceMax} groups at once`);
  },
);

function groupOf(body: string): string {
  return body.slice(0, body.indexOf("/"));
}

/** Sees every invocation: what counts is what the function saw. */
class FifoWitness {
  readonly breaches: string[] = [];
  succeeded = 0;
  invocations = 0;
  poisonTries = 0;
  othersDuringPoison = 0;
  groupsAtOnceMax = 0;
  readonly #next = new Map<string, number>();
  readonly #running = new Set<string>();

  async invoked(records: readonly SqsRecord[]) {
    this.invocations++;
    const groups = new Set(records.map(({ body }) => groupOf(body)));
    for (const group of groups) {
      if (this.#running.has(group)) this.breaches.push(`two batches of ${group} ran at once`);
      this.#running.add(group);
    }
    this.groupsAtOnceMax = Math.max(this.groupsAtOnceMax, this.#running.size);
    await new Promise((resolve) => setImmediate(resolve));
    const failures: SqsRecord[] = [];
    const failedGroups = new Set<string>();
    for (const record of records) {
      const { body } = record;
      const group = groupOf(body);
      const ordinal = Number(body.slice(group.length + 1));
      if (body === POISON) {
        this.poisonTries++;
        failedGroups.add(group);
        failures.push(record);
      } else if (failedGroups.has(group)) {
        // Not listed: the engine must hold it back by itself.
      } else this.#succeed(group, ordinal);
    }
    for (const group of groups) this.#running.delete(group);
    return failuresOf(failures);
  }

  #succeed(group: string, ordinal: number): void {
    const expected = this.#next.get(group) ?? 0;
    const isBehindPoison = `${group}/${expected}` === POISON && ordinal === expected + 1;
    if (ordinal !== expected && !isBehindPoison) {
      this.breaches.push(`${group}/${ordinal} came, ${expected} was next`);
      return;
    }
    if (isBehindPoison && this.poisonTries < RECEIVES_BEFORE_REDRIVE) {
      this.breaches.push(`${group}/${ordinal} overtook the failing message`);
    }
    if (this.poisonTries > 0 && this.poisonTries < RECEIVES_BEFORE_REDRIVE) this.othersDuringPoison++;
    this.#next.set(group, ordinal + 1);
    this.succeeded++;
  }
}
