import { setImmediate as nextTurn } from "node:timers/promises";
import { MillraceError } from "../../src/model/errors.ts";
import {
  createSqsMessageFactory,
  encodeSqsEvent,
  SQS_ENVELOPE_BYTES,
  type SqsMessage,
  sqsEventOf,
  sqsFilterDocument,
} from "../../src/model/sqs-event.ts";
import type { QueueEvents, QueueMessage } from "../../src/ports/queue-source.ts";
import { SeededRandom } from "../simulation/random.ts";
import { VirtualTime } from "../simulation/virtual-clock.ts";
import { FaultDesk, type FaultKind } from "../simulation/world/fault-desk.ts";
import { SimProcess } from "../simulation/world/process.ts";
import { SimQueue } from "../simulation/world/queue.ts";
import type { SimDelivery } from "../simulation/world/queue-message.ts";
import { createSimQueueSource, SIM_QUEUE_ARN } from "../simulation/world/queue-source.ts";
import { describeQueueSourceContract } from "./queue-source.ts";
import type { QueueFixture, QueueSettings } from "./queue-source-harness.ts";

/** Troubles that the laws tell an adapter to hide, at rates at which they happen all the time. */
const HIDDEN_TROUBLES: readonly FaultKind[] = ["receive slow", "settlement slow", "extension slow"];

for (const [name, rate, isGroupHeldByAny] of [
  ["simulated queue", 0, false],
  ["simulated queue, groups held as on SQS", 0, true],
  ["simulated queue, troubled", 0.4, false],
] as const) {
  describeQueueSourceContract(name, {
    can: { fifo: true, tellLostAcknowledgements: true, change: true, damage: true },
    createQueue: async (settings) => createFixture(settings, rate, isGroupHeldByAny),
    openMissingQueue: () =>
      Promise.reject(new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", "There is no such queue.")),
  });
}

function createFixture(settings: QueueSettings, rate: number, isGroupHeldByAny: boolean): QueueFixture {
  const random = new SeededRandom(17);
  const time = new VirtualTime(random.fork("tie-breaks"));
  const shape = { ...settings, receivesMax: undefined, isGroupHeldByAny };
  const queue = new SimQueue(shape, time, random.fork("queue"));
  const rates = Object.fromEntries(HIDDEN_TROUBLES.map((kind) => [kind, rate]));
  const faults = new FaultDesk(rates, new Map());
  const honest = new HonestMessages(settings.isFifo);
  let opened = 0;
  return {
    async openSource() {
      const own = random.fork(`process ${opened}`);
      const process = new SimProcess(opened++, "process", time, own, { wallOffsetMs: 0, rate: 1 });
      const source = createSimQueueSource({
        queue,
        process,
        time,
        faults,
        events: HONEST_EVENTS,
        deliveriesOf: (messages) => messages.map((message) => honest.deliveryOf(message)),
        show: (delivery) => honest.show(delivery),
        record: () => {},
      });
      return {
        get description() {
          return source.description;
        },
        events: source.events,
        close: () => source.close(),
        receive: (...args) => driveByTurns(time, source.receive(...args)),
        acknowledge: (...args) => driveByTurns(time, source.acknowledge(...args)),
        release: (...args) => driveByTurns(time, source.release(...args)),
        extend: (...args) => driveByTurns(time, source.extend(...args)),
      };
    },
    async send(messages) {
      for (const { body, groupId = "" } of messages) {
        const sent = queue.send({ ...PLAIN, groupId });
        honest.bodies.set(sent.messageId, body);
      }
    },
    async reshape(visibilityMs) {
      queue.reshape({ visibilityMs });
    },
    async remove() {
      queue.remove();
    },
    async remake(visibilityMs) {
      queue.remake({ visibilityMs });
    },
    async sendDamaged() {
      queue.send({ ...PLAIN, unmade: "damaged" });
    },
    async pause(ms) {
      await time.run(time.now + ms, () => false);
    },
    bodiesOf(event) {
      const { Records } = event as { Records: readonly { body: string }[] };
      return Records.map(({ body }) => body);
    },
    async [Symbol.asyncDispose]() {},
  };
}

const PLAIN = { groupId: "", bytes: 0, encodedBytes: 0, accepted: true, poison: false };
const TURN_MS = 250;

/** Lets virtual time pass until the call has ended, and the suite act in between: aborts come from real turns. */
async function driveByTurns<T>(time: VirtualTime, pending: Promise<T>): Promise<T> {
  let hasEnded = false;
  const end = () => {
    hasEnded = true;
  };
  pending.then(end, end);
  while (!hasEnded) {
    await time.run(time.now + TURN_MS, () => hasEnded);
    await nextTurn();
  }
  return pending;
}

/** SQS messages of the simulated deliveries, as a function would get them. */
class HonestMessages {
  readonly bodies = new Map<string, string>();
  readonly #deliveries = new Map<QueueMessage, SimDelivery>();
  readonly #toMessage: ReturnType<typeof createSqsMessageFactory>;

  constructor(isFifo: boolean) {
    this.#toMessage = createSqsMessageFactory({
      eventSourceArn: SIM_QUEUE_ARN,
      awsRegion: "eu-west-1",
      isFifo,
      missingAttributesMd5: "left-out",
    });
  }

  show(delivery: SimDelivery): QueueMessage {
    const { messageId, receiveCount, sent } = delivery;
    const message = this.#toMessage({
      messageId,
      receiptHandle: `${messageId}/${receiveCount}`,
      body: this.bodies.get(messageId) ?? "",
      attributes: { ApproximateReceiveCount: String(receiveCount), MessageGroupId: sent.groupId },
      messageAttributes: [],
      md5OfMessageAttributes: undefined,
      md5OfBody: "",
    });
    const shown = delivery.damage === undefined ? message : { ...message, damage: delivery.damage };
    this.#deliveries.set(shown, delivery);
    return shown;
  }

  deliveryOf(message: QueueMessage): SimDelivery {
    const delivery = this.#deliveries.get(message);
    if (delivery === undefined) throw new Error(`no delivery of ${message.messageId}`);
    return delivery;
  }
}

const HONEST_EVENTS: QueueEvents = {
  envelopeBytes: SQS_ENVELOPE_BYTES,
  filterDataKey: "body",
  encode: (messages) => encodeSqsEvent(messages as readonly SqsMessage[]),
  element: (message) => (message as SqsMessage).element,
  eventOf: sqsEventOf,
  filterDocument: (message) => sqsFilterDocument(message as SqsMessage),
};
