import { MillraceError } from "../../../src/model/errors.ts";
import type {
  QueueDescription,
  QueueEvents,
  QueueMessage,
  QueueSource,
  ReceiveBounds,
  Settlement,
} from "../../../src/ports/queue-source.ts";
import type { QueueEvent, SettlementKind } from "../queue-history.ts";
import type { VirtualTime } from "../virtual-clock.ts";
import type { FaultDesk } from "./fault-desk.ts";
import type { SimProcess } from "./process.ts";
import { RECEIVE_MESSAGES_MAX, type SimQueue } from "./queue.ts";
import type { SimDelivery } from "./queue-message.ts";

export interface QueueSourceOptions {
  readonly queue: SimQueue;
  readonly process: SimProcess;
  readonly time: VirtualTime;
  readonly faults: FaultDesk;
  readonly events: QueueEvents;
  /** The deliveries behind the messages that the engine hands back. */
  deliveriesOf(messages: readonly QueueMessage[]): readonly SimDelivery[];
  /** What the engine gets to see of a delivery. */
  show?(delivery: SimDelivery): QueueMessage;
  record(event: QueueEvent): void;
}

export const SIM_QUEUE_ARN = "arn:aws:sqs:eu-west-1:123456789012:simulated";
/** What a receive that makes no progress takes beyond its wait, until the adapter gives it up. */
const HUNG_MS = 5_000;
/** How soon a question that can be taken back is. */
const ABORT_MS_MAX = 500;
let nextReceive = 0;

/** One process's connector to a queue. Its laws are those of the port; its troubles are those of the scenario. */
export function createSimQueueSource(options: QueueSourceOptions): QueueSource {
  const { events } = options;
  const settler = new SimSettler(options);
  const described = new Described(options);
  return {
    get description() {
      return described.now;
    },
    events,
    receive: (bounds, signal) => {
      described.lookAgain();
      return receive(options, bounds, signal);
    },
    acknowledge: (messages) => settler.settle("acknowledge", messages, 0),
    release: (messages, delayMs) => settler.settle("release", messages, delayMs),
    extend: (messages, holdMs) => settler.settle("extend", messages, holdMs),
    close: () => Promise.resolve(),
  };
}

/** What the queue said of itself when it was asked last: that may be a minute ago. */
class Described {
  readonly #options: QueueSourceOptions;
  readonly #againMs: number;
  #visibilityMs: number;
  #askedMs: number;

  constructor(options: QueueSourceOptions) {
    const { queue, process, time } = options;
    this.#options = options;
    this.#againMs = process.random.fork("described again").pick([0, 2_000, 60_000]);
    this.#visibilityMs = queue.shape.visibilityMs;
    this.#askedMs = time.now;
  }

  get now(): QueueDescription {
    return {
      kind: "simulated",
      eventSourceArn: SIM_QUEUE_ARN,
      isFifo: this.#options.queue.shape.isFifo,
      visibilityMs: this.#visibilityMs,
      receiveMessagesMax: RECEIVE_MESSAGES_MAX,
    };
  }

  lookAgain(): void {
    const { queue, time } = this.#options;
    if (queue.isRemoved || time.now - this.#askedMs < this.#againMs) return;
    this.#visibilityMs = queue.shape.visibilityMs;
    this.#askedMs = time.now;
  }
}

function latencyMs(process: SimProcess): number {
  return 0.5 + 9.5 * process.random.next();
}

function receive(
  options: QueueSourceOptions,
  bounds: ReceiveBounds,
  signal: AbortSignal,
): Promise<readonly QueueMessage[]> {
  const { process, time, record } = options;
  if (signal.aborted) return Promise.resolve([]);
  return new Promise((resolve, reject) => {
    if (!process.admitsCall()) return;
    const number = nextReceive++;
    const { messagesMax } = bounds;
    record({ kind: "receiveStarted", at: time.now, process, receive: number, messagesMax });
    let isOver = false;
    const end = (deliveries: readonly SimDelivery[], settle: () => void) => {
      if (isOver) return;
      isOver = true;
      signal.removeEventListener("abort", abort);
      record({ kind: "receiveEnded", at: time.now, process, receive: number, deliveries });
      settle();
    };
    // Some questions can be taken back, as long as the queue has not answered; the others wait on at the queue, as
    // SQS's do.
    let isWithdrawn = false;
    let isAnswered = false;
    const abort = () => {
      if (process.random.chance(0.5)) return;
      time.schedule(process.random.between(0, ABORT_MS_MAX), () => {
        if (isAnswered || isOver) return;
        isWithdrawn = true;
        process.enter(() => end([], () => resolve([])));
      });
    };
    signal.addEventListener("abort", abort);
    const askedLocalMs = process.localMs();
    ask(options, bounds, () => isOver || isWithdrawn, {
      fail: (error) => process.enter(() => end([], () => reject(error))),
      taken: () => {
        isAnswered = true;
      },
      give: (deliveries) =>
        process.enter(() => {
          for (const delivery of isOver ? [] : deliveries) {
            delivery.deliveredAt = time.now;
            delivery.heldUntilLocalMs = askedLocalMs + bounds.holdMs;
          }
          end(deliveries, () => resolve(deliveries.map(options.show ?? ((delivery) => delivery))));
        }),
    });
  });
}

interface Answers {
  /** The queue has answered: what it gave is hidden from now on. */
  taken(): void;
  fail(error: MillraceError): void;
  give(deliveries: readonly SimDelivery[]): void;
}

/** The way of a receive: there, at the queue, and back, with what may go wrong on it. */
function ask(
  { queue, process, time, faults }: QueueSourceOptions,
  { messagesMax, waitMs, holdMs }: ReceiveBounds,
  isOver: () => boolean,
  answers: Answers,
): void {
  const { random } = process;
  const isThrottled = faults.roll("receive throttled", random);
  const isFailed = faults.roll("receive failed", random);
  const isHung = faults.roll("receive hung", random);
  const isEmpty = faults.roll("receive empty", random);
  const isLost = faults.roll("receive reply lost", random);
  const isAbandoned = faults.roll("receive abandoned", random);
  const isTruncated = faults.roll("receive truncated", random);
  const slowMs = faults.roll("receive slow", random) ? random.between(100, 3_000) : 0;
  const backMs = latencyMs(process) + slowMs;
  time.schedule(latencyMs(process), () => {
    const later = (afterMs: number, answer: () => void): void => {
      time.schedule(afterMs, answer);
    };
    if (isThrottled) later(backMs, () => answers.fail(throttled()));
    else if (isFailed || faults.isOut("source"))
      later(backMs, () => answers.fail(unavailable("give messages")));
    else if (queue.isRemoved) later(backMs, () => answers.fail(notFound()));
    else if (isHung) later(waitMs + HUNG_MS, () => answers.fail(unavailable("answer in time")));
    else if (isEmpty) later(backMs, () => answers.give([]));
    else {
      queue.receive({
        process,
        messagesMax: isTruncated ? random.int(1, messagesMax) : messagesMax,
        waitMs,
        holdMs,
        // A server may not notice at once that nobody listens any more: what it gives then is hidden for a hold.
        isGone: () => !isAbandoned && (process.state === "dead" || isOver()),
        duplicates: () => faults.roll("message duplicated", random),
        answer: (deliveries) => {
          answers.taken();
          time.schedule(backMs, () => {
            if (isLost) answers.fail(unavailable("get its answer through"));
            else answers.give(deliveries);
          });
        },
      });
    }
  });
}

/** Settlements: by message, each call as a whole or in part at the mercy of the network. */
class SimSettler {
  readonly #options: QueueSourceOptions;

  constructor(options: QueueSourceOptions) {
    this.#options = options;
  }

  settle(
    how: SettlementKind,
    messages: readonly QueueMessage[],
    forMs: number,
  ): Promise<readonly Settlement[]> {
    if (messages.length === 0) return Promise.resolve([]);
    const { process, time, faults, record } = this.#options;
    const { random } = process;
    const deliveries = this.#options.deliveriesOf(messages);
    const trouble = how === "extend" ? "extension" : "settlement";
    const isFailed = faults.roll(`${trouble} failed`, random);
    const isLost = faults.roll(`${trouble} applied, reply lost`, random);
    const slowMs = faults.roll(`${trouble} slow`, random) ? random.between(100, 3_000) : 0;
    const sentLocalMs = process.localMs();
    if (process.state !== "dead") {
      record({ kind: "settlementSent", at: time.now, process, how, deliveries, forMs });
    }
    return process.call({
      travelMs: latencyMs(process) + slowMs * random.next(),
      replyMs: latencyMs(process) + slowMs * random.next(),
      serve: () => {
        if (isFailed || faults.isOut("source")) {
          throw random.chance(0.3) ? throttled() : unavailable(`${how} messages`);
        }
        if (this.#options.queue.isRemoved) throw notFound();
        const told = this.#apply(how, deliveries, forMs);
        if (isLost) throw unavailable("get its answer through");
        return told;
      },
      delivered: (results) => {
        for (const [index, delivery] of deliveries.entries()) {
          if (results[index] === "lost") delivery.toldLost = true;
          if (results[index] !== "settled" || how !== "extend") continue;
          if (delivery.heldUntilLocalMs <= process.localMs()) delivery.hasLapsed = true;
          delivery.heldUntilLocalMs = Math.max(delivery.heldUntilLocalMs, sentLocalMs + forMs);
        }
        record({ kind: "settlementTold", at: time.now, process, how, deliveries, results });
      },
    });
  }

  /** What is told of a message as failed may have been done or not. */
  #apply(how: SettlementKind, deliveries: readonly SimDelivery[], forMs: number): Settlement[] {
    const { process, time, faults, queue, record } = this.#options;
    const trouble = how === "extend" ? "extension failed in part" : "settlement failed in part";
    const told: Settlement[] = [];
    const results = deliveries.map((delivery): Settlement => {
      const isFailed = faults.roll(trouble, process.random);
      if (isFailed && process.random.chance(0.7)) {
        told.push("failed");
        return "failed";
      }
      if (how === "extend" && faults.roll("hold ended by the queue", process.random)) queue.endHold(delivery);
      const result = how === "acknowledge" ? queue.acknowledge(delivery) : queue.hide(delivery, forMs);
      if (result === "settled" && how === "release") {
        delivery.over ??= { at: time.now + forMs, by: "released" };
      }
      told.push(isFailed ? "failed" : result);
      return result;
    });
    record({ kind: "settlementApplied", at: time.now, process, how, deliveries, results });
    return told;
  }
}

function throttled(): MillraceError {
  return new MillraceError("ERR_MILLRACE_SOURCE_THROTTLED", "Calls of the simulated queue exceed its quota.");
}

function notFound(): MillraceError {
  return new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", "There is no such simulated queue.");
}

function unavailable(what: string): MillraceError {
  return new MillraceError("ERR_MILLRACE_SOURCE_UNAVAILABLE", `The simulated queue did not ${what}.`);
}
