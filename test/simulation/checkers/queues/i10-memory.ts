import type { QueueEvent } from "../../queue-history.ts";
import type { SimProcess } from "../../world/process.ts";
import type { SimDelivery } from "../../world/queue-message.ts";
import type { QueueChecker, QueueTrial } from "./queue-checker.ts";

/** Fair lanes read past a flood so far. */
const ROOMS_READ_PAST = 10;

/**
 * No receive is asked for without room for its result: not while the process holds as many bytes as the mapping's
 * budget, nor for more messages than a batch for each that may run.
 */
export const memory: QueueChecker = {
  id: "I10",
  title: "memory bound",
  check(trial) {
    const holdings = new Map<SimProcess, Holding>();
    for (const event of trial.queue.events) {
      const holding = holdings.get(event.process) ?? new Holding(event.process);
      holdings.set(event.process, holding);
      if (event.kind === "receiveStarted") holding.check(trial, event);
      holding.note(event);
    }
  },
};

/** What one process certainly holds: it may hold more, and for longer. */
class Holding {
  readonly #process: SimProcess;
  readonly #held = new Set<SimDelivery>();
  readonly #waiting = new Set<SimDelivery>();
  readonly #receives = new Map<number, number>();
  #bytes = 0;
  #expected = 0;

  constructor(process: SimProcess) {
    this.#process = process;
  }

  note(event: QueueEvent): void {
    switch (event.kind) {
      case "receiveStarted":
        this.#receives.set(event.receive, event.messagesMax);
        this.#expected += event.messagesMax;
        break;
      case "receiveEnded":
        this.#expected -= this.#receives.get(event.receive) ?? 0;
        for (const delivery of event.deliveries) if (delivery.sent.unmade === undefined) this.#hold(delivery);
        break;
      case "attemptStarted":
        for (const delivery of event.attempt.deliveries) this.#waiting.delete(delivery);
        break;
      case "attemptTold":
        if (event.attempt.toldAgain) break;
        this.#letGo(event.attempt.deliveries.filter((_, index) => event.attempt.toldSettled[index] !== true));
        break;
      case "settlementSent":
        // What is given up early is not counted: nobody sees when the engine forgets it.
        if (event.how === "release") this.#letGo(event.deliveries);
        if (event.how === "acknowledge") this.#letGo(event.deliveries.filter(({ sent }) => sent.accepted));
        break;
      case "settlementTold":
        this.#letGo(event.deliveries.filter((_, index) => isOver(event, index)));
        break;
      default:
    }
  }

  check({ history, queue, report }: QueueTrial, event: QueueEvent & { readonly messagesMax: number }): void {
    const { mappingBudgetBytes } = history.scenario.settings;
    const { mapping, plan } = queue;
    if (this.#bytes >= mappingBudgetBytes) {
      this.#forgetLost(event.at);
      if (this.#bytes >= mappingBudgetBytes && this.#held.size > 0) {
        report(
          event.at,
          `${this.#process.owner} receives, with ${this.#bytes} bytes of ${mappingBudgetBytes} in hand`,
        );
      }
    }
    if (mapping.concurrencyMax === undefined || plan.fn.concurrency < 1_000) return;
    // Twice: what waits, and batches that were taken and may not start.
    const rooms = mapping.tenant === undefined ? 2 : 1 + ROOMS_READ_PAST;
    const most = rooms * mapping.concurrencyMax * Math.max(mapping.batchSize, 10);
    const isOver = () => this.#waiting.size + this.#expected + event.messagesMax > most;
    if (!isOver()) return;
    this.#forgetLost(event.at);
    if (isOver()) {
      report(
        event.at,
        `${this.#process.owner} asks for ${event.messagesMax}, with ${this.#waiting.size} waiting, ${this.#expected} expected`,
      );
    }
  }

  #hold(delivery: SimDelivery): void {
    this.#held.add(delivery);
    this.#bytes += delivery.bytes;
    if (delivery.sent.accepted) this.#waiting.add(delivery);
  }

  #letGo(deliveries: readonly SimDelivery[]): void {
    for (const delivery of deliveries) {
      this.#waiting.delete(delivery);
      if (this.#held.delete(delivery)) this.#bytes -= delivery.bytes;
    }
  }

  #forgetLost(at: number): void {
    const localMs = this.#process.localAt(at);
    this.#letGo(
      [...this.#held].filter((each) => each.toldLost || each.hasLapsed || each.heldUntilLocalMs <= localMs),
    );
  }
}

function isOver(event: QueueEvent & { readonly kind: "settlementTold" }, index: number): boolean {
  const result = event.results[index];
  return result === "lost" || (event.how === "acknowledge" && result === "settled");
}
