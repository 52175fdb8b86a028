/**
 * Real brokers: what the engine keeps of the speed of a bare client that makes the same events, calls the same function
 * and acknowledges. Run alone with `node test/load/brokers.bench.ts`. Needs Debian's RabbitMQ, Java and Maven.
 */
import { randomBytes, randomUUID } from "node:crypto";
import {
  createBodyFactory as activemqBodies,
  createActivemqEvents,
} from "../../connectors/activemq/event.ts";
import { openActivemqSource } from "../../connectors/activemq/source.ts";
import { createRabbitEvents, createBodyFactory as rabbitBodies } from "../../connectors/rabbitmq/event.ts";
import { openRabbitSource } from "../../connectors/rabbitmq/source.ts";
import type { FunctionTarget } from "../../src/ports/function-target.ts";
import type { QueueEvents, QueueSource } from "../../src/ports/queue-source.ts";
import { activemqSettingsOf } from "../contract/activemq-harness.ts";
import { rabbitSettingsOf } from "../contract/rabbit-harness.ts";
import { PLAIN_QUEUE_MAPPING } from "../fixtures/queue-mapping.ts";
import { createQuietEngine } from "../fixtures/quiet-engine.ts";
import { startActivemq } from "../servers/activemq.ts";
import { activemqQueue, sendAll } from "../servers/activemq-queues.ts";
import { startRabbitmq } from "../servers/rabbitmq.ts";
import { rabbitQueue } from "../servers/rabbitmq-queues.ts";
import { type Measurement, median, printWhenRunAlone } from "./measurement.ts";

export const name = "RabbitMQ and ActiveMQ on real brokers";

const MESSAGES = 10_000;
const BATCH_SIZE = 100;
/** Messages that a client has at once; what the engine asks for as well. */
const PREFETCH = 2 * BATCH_SIZE;
const PAIRS = 7;
const GOAL = 0.85;
const EMPTY = new Uint8Array(0);
const BODY = randomBytes(768).toString("base64");

interface Side {
  /** Puts `MESSAGES` into the queue. */
  fill(): Promise<void>;
  /** Resolves to how it is ended. */
  bare(target: FunctionTarget): Promise<() => Promise<void>>;
  source(): Promise<QueueSource>;
  close(): Promise<void>;
}

export async function run(): Promise<readonly Measurement[]> {
  return [
    ...(await compare("RabbitMQ", await rabbitSide())),
    ...(await compare("ActiveMQ", await activemqSide())),
  ];
}

async function compare(broker: string, side: Side): Promise<readonly Measurement[]> {
  const bare: number[] = [];
  const whole: number[] = [];
  try {
    for (let pair = 0; pair <= PAIRS; pair++) {
      const costs = [await drain(side, runBare), await drain(side, runWhole)] as const;
      // The first pair warms compilers up.
      if (pair === 0) continue;
      bare.push(costs[0]);
      whole.push(costs[1]);
    }
  } finally {
    await side.close();
  }
  const ratio = median(whole.map((micros, pair) => (bare[pair] ?? micros) / micros));
  const label = `batches of ${BATCH_SIZE} × 1 KB`;
  return [
    { metric: `${broker}, bare client, ${label}`, value: median(bare), unit: "µs of CPU a message" },
    { metric: `${broker}, whole engine, ${label}`, value: median(whole), unit: "µs of CPU a message" },
    {
      metric: `${broker}: whole engine against the bare client, messages per CPU second`,
      value: ratio,
      unit: "×",
      goal: `≥ ${GOAL}`,
      holds: ratio >= GOAL,
    },
  ];
}

type Run = (side: Side, target: FunctionTarget) => Promise<() => Promise<void>>;

/** µs of this process's CPU for a message, from the first event to the last. */
async function drain(side: Side, start: Run): Promise<number> {
  await side.fill();
  const { promise: done, resolve } = Promise.withResolvers<void>();
  let seen = 0;
  let since = process.cpuUsage();
  let micros = 0;
  const target: FunctionTarget = {
    invoke: async (payload) => {
      if (seen === 0) since = process.cpuUsage();
      seen += messagesIn(payload);
      if (seen >= MESSAGES && micros === 0) {
        const { user, system } = process.cpuUsage(since);
        micros = (user + system) / MESSAGES;
        resolve();
      }
      return { kind: "succeeded", payload: EMPTY };
    },
    close: async () => {},
  };
  const end = await start(side, target);
  await done;
  await end();
  return micros;
}

/** All bodies are alike. */
const MARK = Buffer.from('"data":"');

function messagesIn(payload: Uint8Array): number {
  const event = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  let messages = 0;
  for (let at = event.indexOf(MARK); at >= 0; at = event.indexOf(MARK, at + BODY.length)) messages++;
  return messages;
}

const runBare: Run = (side, target) => side.bare(target);

const runWhole: Run = async (side, target) => {
  const source = await side.source();
  const engine = createQuietEngine();
  const mapping = { ...PLAIN_QUEUE_MAPPING, batchSize: BATCH_SIZE, concurrencyMax: 1 };
  const fn = { name: "bench", target, timeoutMs: 30_000, concurrency: 1_000 };
  engine.start({ kind: "queue", mapping, source, fn });
  return async () => {
    await engine.stop(5_000);
    await source.close();
  };
};

/** Gathers batches of elements for the function, and tells when one has been through it. */
class BareBatches {
  readonly #events: QueueEvents;
  readonly #target: FunctionTarget;
  #elements: Uint8Array[] = [];
  /** The last batch is through. */
  done = Promise.resolve();

  constructor(events: QueueEvents, target: FunctionTarget) {
    this.#events = events;
    this.#target = target;
  }

  add(element: Uint8Array, onDone: () => void): void {
    this.#elements.push(element);
    if (this.#elements.length < BATCH_SIZE) return;
    const payload = this.#events.eventOf(this.#elements);
    this.#elements = [];
    const times = { deadlineMs: Date.now() + 3_600_000, timeoutMs: 3_600_000 };
    const context = { requestId: "bare", functionName: "bare", functionArn: "bare", ...times };
    this.done = this.#target.invoke(payload, context, new AbortController().signal).then(onDone);
  }
}

async function rabbitSide(): Promise<Side> {
  const server = await startRabbitmq();
  const queue = await rabbitQueue(server, "classic");
  await queue.make();
  const settings = rabbitSettingsOf(queue.name);
  const messages = Array.from({ length: MESSAGES }, () => ({ body: BODY, headers: {} }));
  return {
    fill: () => queue.send(messages),
    source: () => openRabbitSource(settings, queue.api()),
    close: () => server.close(),
    async bare(target) {
      const toBody = rabbitBodies(settings, settings.order);
      const batches = new BareBatches(createRabbitEvents(settings), target);
      const model = await server.connect();
      const channel = await model.createChannel();
      await channel.prefetch(PREFETCH);
      await channel.consume(queue.name, (message) => {
        if (message === null) return;
        const { content, properties, fields } = message;
        const { deliveryTag, redelivered } = fields;
        const { element } = toBody({ deliveryTag, redelivered, properties, content });
        batches.add(element, () => channel.ack(message, true));
      });
      return async () => {
        await batches.done;
        await model.close();
      };
    },
  };
}

async function activemqSide(): Promise<Side> {
  const server = await startActivemq();
  const queue = activemqQueue(server);
  const settings = activemqSettingsOf(queue.name);
  const fill = () =>
    sendAll(
      server,
      queue.name,
      Array.from({ length: MESSAGES }, () => ({
        body: BODY,
        durable: false,
        message_id: `ID:${randomUUID()}`,
      })),
    );
  return {
    fill,
    source: () => openActivemqSource(settings, queue.client()),
    close: () => server.close(),
    async bare(target) {
      const toBody = activemqBodies(settings, () => 0);
      const batches = new BareBatches(createActivemqEvents(settings), target);
      const connection = await server.connect();
      const source = { address: queue.name, capabilities: ["queue"] };
      const receiver = connection.open_receiver({ source, credit_window: PREFETCH, autoaccept: false });
      let waiting: { accept(): void }[] = [];
      let deliveryTag = 0;
      receiver.on("message", ({ message, delivery }) => {
        if (message === undefined || delivery === undefined) return;
        waiting.push(delivery);
        const { element } = toBody({ deliveryTag: ++deliveryTag, cameAtMs: Date.now(), message });
        const batch = waiting;
        if (batch.length === BATCH_SIZE) waiting = [];
        batches.add(element, () => {
          for (const each of batch) each.accept();
        });
      });
      return async () => {
        await batches.done;
        connection.on("disconnected", () => undefined);
        connection.close();
      };
    },
  };
}

await printWhenRunAlone(import.meta.url, run);
