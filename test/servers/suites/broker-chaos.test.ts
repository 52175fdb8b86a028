import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as active from "../../contract/activemq-harness.ts";
import * as rabbit from "../../contract/rabbit-harness.ts";
import { ACTIVEMQ_PASSWORD, ACTIVEMQ_USER, startActivemq } from "../activemq.ts";
import { activemqQueue } from "../activemq-queues.ts";
import { RABBITMQ_PASSWORD, RABBITMQ_USER, startRabbitmq } from "../rabbitmq.ts";
import { rabbitQueue } from "../rabbitmq-queues.ts";
import { type BrokerChaosEnd, runBrokerChaos } from "./broker-chaos.ts";

/** `npm run chaos:brokers` has more. */
const MESSAGES = Number(process.env["MILLRACE_CHAOS_MESSAGES"] ?? 4_000);
const DISTURBANCES = Number(process.env["MILLRACE_CHAOS_KILLS"] ?? 5);
const TIMEOUT_MS = 300_000 + DISTURBANCES * 60_000;
const GROUPS = 40;

describe("a queue of a broker under kills", { timeout: TIMEOUT_MS }, () => {
  test("RabbitMQ: nothing is lost, and the queue's order is kept, whoever is killed", async (t) => {
    const server = await startRabbitmq();
    t.after(() => server.close());
    const queue = await rabbitQueue(server, "classic", { "x-single-active-consumer": true });
    await queue.make();
    const bodies = Array.from({ length: MESSAGES }, (_, index) => String(index));
    await queue.send(bodies.map((body) => ({ body, headers: {} })));
    const batchSize = 50;
    const end = await runBrokerChaos({
      t,
      broker: server,
      spec: [
        "eventSourceArn: arn:aws:mq:eu-west-1:000000000000:broker:shop:b-1",
        `endpoints: { RABBITMQ_ENDPOINTS: ["${server.endpoint}"] }`,
        `queues: ["${queue.name}"]`,
        'sourceAccessConfigurations: [{ type: BASIC_AUTH, uri: "env:LOGIN" }]',
        `batchSize: ${batchSize}`,
      ],
      env: loginOf(RABBITMQ_USER, RABBITMQ_PASSWORD),
      messages: MESSAGES,
      disturbances: DISTURBANCES,
      bodiesOf: (event) => rabbit.messagesOf(event).map(({ data }) => textOf(data)),
    });
    assert.deepEqual(end.firsts, bodies, "each was given for the first time in the queue's order");
    judge(end, { inFlight: batchSize, password: RABBITMQ_PASSWORD });
    t.diagnostic(told(end));
  });

  test("ActiveMQ: nothing is lost, and groups keep their order, whoever is killed", async (t) => {
    const server = await startActivemq();
    t.after(() => server.close());
    const queue = activemqQueue(server);
    const bodies = Array.from({ length: MESSAGES }, (_, index) => `${index % GROUPS}-${index}`);
    await queue.send(bodies.map((body, index) => ({ body, groupId: String(index % GROUPS) })));
    const batchSize = 20;
    const batchesAtOnce = 5;
    const end = await runBrokerChaos({
      t,
      broker: server,
      spec: [
        "eventSourceArn: arn:aws:mq:eu-west-1:000000000000:broker:shop:b-1",
        `endpoints: { ACTIVEMQ_ENDPOINTS: ["${server.endpoint}"] }`,
        `queues: ["${queue.name}"]`,
        'sourceAccessConfigurations: [{ type: BASIC_AUTH, uri: "env:LOGIN" }]',
        `batchSize: ${batchSize}`,
        `scalingConfig: { maximumConcurrency: ${batchesAtOnce} }`,
        "deliveryLimit: 1000",
      ],
      env: loginOf(ACTIVEMQ_USER, ACTIVEMQ_PASSWORD),
      messages: MESSAGES,
      disturbances: DISTURBANCES,
      bodiesOf: (event) => active.messagesOf(event).map(({ data }) => textOf(data)),
    });
    for (let group = 0; group < GROUPS; group++) {
      const isOfGroup = (body: string) => body.startsWith(`${group}-`);
      assert.deepEqual(end.firsts.filter(isOfGroup), bodies.filter(isOfGroup), `the order of group ${group}`);
    }
    judge(end, { inFlight: batchSize * batchesAtOnce, password: ACTIVEMQ_PASSWORD });
    t.diagnostic(told(end));
  });
});

/**
 * A process that is killed leaves what it had in flight to be repeated, and a call that failed its batch. What a broker
 * that is killed or not heard repeats is the broker's: acknowledgements are not answered.
 */
function judge(end: BrokerChaosEnd, { inFlight, password }: { inFlight: number; password: string }): void {
  const of = (kind: "process killed" | "process stopped") => end.repeats.get(kind) ?? 0;
  const ofFailures = end.failures * inFlight;
  const kills = end.counts.get("process killed") ?? 0;
  assert.ok(
    of("process killed") <= kills * inFlight + ofFailures,
    `${of("process killed")} repeats by ${kills} kills`,
  );
  assert.ok(of("process stopped") <= ofFailures, `${of("process stopped")} repeats by stops`);
  assert.ok(!end.logs.includes(password), "no log shows the password");
}

function told({ firsts, counts, repeats, failures }: BrokerChaosEnd): string {
  const all = [...counts].map(([kind, count]) => `${kind} ${count} (repeats ${repeats.get(kind) ?? 0})`);
  return `${firsts.length} messages, ${failures} calls failed, ${all.join(", ")}`;
}

function loginOf(username: string, password: string) {
  return { LOGIN: JSON.stringify({ username, password }) };
}

function textOf(base64: string): string {
  return Buffer.from(base64, "base64").toString();
}
