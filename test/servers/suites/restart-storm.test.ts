import assert from "node:assert/strict";
import { after, test } from "node:test";
import { useAwsEnvironment } from "../aws-environment.ts";
import { startElasticmq } from "../elasticmq.ts";
import { restartStorm } from "./restart-storm.ts";

const server = await startElasticmq();
useAwsEnvironment({ AWS_ENDPOINT_URL_SQS: server.endpoint });
after(() => server.close());

/** The whole of it (`npm run test:restart-storm`): 10,000 messages of each queue and twenty restarts. */
const MESSAGES = Number(process.env["MILLRACE_STORM_MESSAGES"] ?? 1_500);
const RESTARTS = Number(process.env["MILLRACE_STORM_RESTARTS"] ?? 5);
/** One in each of half of the groups. */
const POISON = 4;
const HANG = { timeout: 1_800_000 };

test(
  "no message is lost, or dead-lettered unseen, while mappings are updated, disabled and enabled and their process is restarted",
  HANG,
  async (t) => {
    const common = { messages: MESSAGES, poison: POISON };
    const { tolls, warnings } = await restartStorm(t, {
      queues: [
        { kind: "standard", receivesMax: 1, ...common },
        { kind: "fifo", receivesMax: 3, ...common },
      ],
      restarts: RESTARTS,
    });
    for (const { unseen, lost, ...figures } of tolls)
      t.diagnostic(JSON.stringify({ ...figures, unseen: unseen.length, lost: lost.length }));
    for (const [text, times] of warnings) t.diagnostic(`${times} × ${text}`);
    for (const { kind, unseen, lost, sent, succeeded, deadLettered, unseenReceives } of tolls) {
      assert.deepEqual(unseen.slice(0, 5), [], `${unseen.length} of ${kind}`);
      assert.deepEqual(lost.slice(0, 5), [], `${lost.length} of ${kind}`);
      // Nor is a receive spent on a message that no function sees: enough of them make a dead letter.
      assert.equal(unseenReceives, 0, kind);
      assert.equal(sent, MESSAGES);
      // Poison was listed as failed in its last receive too, and so is in the dead-letter queue; nothing else is.
      assert.equal(deadLettered, POISON, kind);
      assert.equal(succeeded, MESSAGES - POISON, kind);
    }
  },
);
