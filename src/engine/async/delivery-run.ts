import { type AttemptState, DESTINATION_LANE } from "../../model/async-item.ts";
import { describeError, hasErrorCode } from "../../model/errors.ts";
import type { Delivered } from "../../ports/destination.ts";
import type { AsyncParts } from "./async-parts.ts";
import { type Delivery, envelopeOf, readDelivery } from "./delivery-item.ts";
import type { HeldItem } from "./held-items.ts";
import { settle } from "./item-settlement.ts";
import { throttlePauseMs } from "./retry-times.ts";

/** A record is tried for a day; AWS tries once (decision in docs). */
const DELIVERY_AGE_MS_MAX = 24 * 3_600_000;

/** How long its destination is to be left alone, and why. */
export interface FailedDelivery {
  readonly pauseMs: number;
  readonly problem: string;
}

/** One try to deliver what became of an event. */
export class DeliveryRun {
  readonly #parts: AsyncParts;
  readonly #held: HeldItem;
  readonly #state: AttemptState;

  constructor(held: HeldItem, state: AttemptState, parts: AsyncParts) {
    this.#parts = parts;
    this.#held = held;
    this.#state = state;
  }

  /** `undefined`: its destination took what it got, or never will. */
  async run(): Promise<FailedDelivery | undefined> {
    const { item } = this.#held;
    const delivery = readDelivery(item.body);
    if (delivery === undefined) {
      await this.#drop(undefined, "nobody can read what was to be delivered");
      return undefined;
    }
    const { queue } = this.#parts;
    let delivered: Delivered | undefined;
    try {
      delivered = await this.#deliver(delivery);
    } catch (error) {
      return await this.#failed(delivery, error);
    }
    this.#note(delivery, delivered);
    // plant: a-delivery-that-was-accepted-is-not-finished
    await settle(this.#held, () => queue.finish(item, []), this.#parts);
    return undefined;
  }

  /** What was given up is listed: whoever looks finds it, and hands it over again. */
  #note({ kind, functionName, requestId, message }: Delivery, delivered: Delivered | undefined): void {
    const { failures, clock } = this.#parts;
    const { id } = this.#held.item;
    if (failures === undefined || id.endsWith(SUCCESS_ID)) return;
    failures.eventGivenUp({
      ...{ functionName, requestId, bytes: message.text.length, atMs: clock.now() },
      document: kind === "record" ? objectIn(message.text) : {},
      ...{ destination: this.#uri, at: delivered?.at },
    });
  }

  /** What is refused as it is may be too large: then it goes without its payloads (invocation §9.3). */
  async #deliver(delivery: Delivery): Promise<Delivered | undefined> {
    const { destinations, ending } = this.#parts;
    const { id } = this.#held.item;
    const { smaller } = delivery.message;
    try {
      return await destinations.deliver(this.#uri, envelopeOf(id, delivery), ending);
    } catch (error) {
      if (smaller === undefined || !hasErrorCode(error, "ERR_MILLRACE_DESTINATION_REJECTED")) throw error;
      const message = { ...delivery.message, text: smaller, smaller: undefined };
      return await destinations.deliver(this.#uri, envelopeOf(id, { ...delivery, message }), ending);
    }
  }

  get #uri(): string {
    return this.#held.item.lane.slice(DESTINATION_LANE.length);
  }

  async #failed(delivery: Delivery, error: unknown): Promise<FailedDelivery | undefined> {
    const { clock, random, queue, lines, telemetry, ending } = this.#parts;
    const { item } = this.#held;
    if (ending.aborted) {
      await queue.release(item, 0).catch(() => undefined);
      return undefined;
    }
    const isDeadLetter = delivery.kind === "deadLetter";
    const counter = isDeadLetter ? "dead_letter_errors" : "async_destination_delivery_failures";
    telemetry.asyncCount(counter, delivery.functionName, 1);
    const ageMs = clock.now() - this.#state.acceptedMs;
    if (hasErrorCode(error, "ERR_MILLRACE_DESTINATION_REJECTED") || ageMs > DELIVERY_AGE_MS_MAX) {
      await this.#drop(delivery, describeError(error));
      return undefined;
    }
    const deliveryFailures = this.#state.deliveryFailures + 1;
    const delayMs = throttlePauseMs(deliveryFailures, undefined, random);
    const fields = {
      function: delivery.functionName,
      requestId: delivery.requestId,
      error: describeError(error),
    };
    lines.write("warn", "what became of an event could not be delivered; trying again", fields);
    await settle(
      this.#held,
      () => queue.retry(item, { ...this.#state, deliveryFailures }, delayMs),
      this.#parts,
    );
    return { pauseMs: delayMs, problem: fields.error };
  }

  async #drop(delivery: Delivery | undefined, why: string): Promise<void> {
    const { queue, telemetry } = this.#parts;
    const { item } = this.#held;
    const answer = await settle(this.#held, () => queue.finish(item, []), this.#parts);
    if (answer === "lost") return;
    const { functionName = "", requestId = item.id } = delivery ?? {};
    const fields = { function: functionName, requestId, error: why };
    // plant: a-delivery-that-is-dropped-is-not-told
    telemetry.asyncCount("async_deliveries_dropped", functionName, 1);
    telemetry.log("error", "what became of an event was dropped: its destination never takes it", fields);
  }
}

/** How ids of records of successes end (`destinations-of.ts`). */
const SUCCESS_ID = "/success";

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === "object" && read !== null && !Array.isArray(read) ? { ...read } : {};
  } catch {
    return {};
  }
}
