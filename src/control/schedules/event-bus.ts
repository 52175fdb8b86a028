import { ruleKey } from "../../manifests/schedule-resource.ts";
import type { NewAsyncItem } from "../../model/async-item.ts";
import { ASYNC_PAYLOAD_BYTES_MAX } from "../../model/limits.ts";
import type { Lineage } from "../../model/lineage.ts";
import type { Place } from "../../model/place.ts";
import type { AsyncEvents } from "../../ports/async-events.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import { ControlFault } from "../control-fault.ts";
import type { ScheduleBook } from "./schedule-book.ts";
import { type EventEnvelope, instantText, targetInput, targetItem } from "./scheduled-event.ts";

export interface EventBusOptions {
  readonly events: AsyncEvents;
  readonly book: Pick<ScheduleBook, "listening">;
  readonly place: Place;
  readonly clock: Clock;
  readonly random: Random;
}

/** An event that somebody puts, before it has an envelope. */
export interface GivenEvent {
  readonly bus: string;
  readonly source: string;
  readonly detailType: string;
  readonly detail: unknown;
  readonly resources: readonly string[];
  /** Epoch milliseconds; `undefined`: now. */
  readonly timeMs: number | undefined;
  /** Functions that have led to it. */
  readonly lineage?: Lineage | undefined;
}

/** Hands events over to the targets of the rules that match: each target of each rule gets it once. */
export class EventBus {
  readonly #options: EventBusOptions;

  constructor(options: EventBusOptions) {
    this.#options = options;
  }

  /**
   * Resolves to the event's id when what it goes to is durable; `full`: nothing was put.
   * @throws ControlFault for an event of which a rule makes too large an input; MillraceError
   * ERR_MILLRACE_STORE_UNAVAILABLE
   */
  async put(given: GivenEvent): Promise<string | "full"> {
    const { id, items } = this.itemsOf(given, refuse);
    return (await this.#accepted(items)) ? id : "full";
  }

  /** All of them or none. @throws as `put` */
  async putAll(given: readonly GivenEvent[]): Promise<"accepted" | "full"> {
    const items = given.flatMap((each) => this.itemsOf(each, refuse).items);
    return (await this.#accepted(items)) ? "accepted" : "full";
  }

  /**
   * What the rules make of it, as far as they are known here; nothing is put. `onTooLarge`: a rule makes more of it
   * than an event may be.
   */
  itemsOf(
    given: GivenEvent,
    onTooLarge: (rule: string) => void,
  ): { readonly id: string; readonly items: readonly NewAsyncItem[] } {
    const { place, clock, random, book } = this.#options;
    const nowMs = clock.now();
    const id = random.uuid();
    const event: EventEnvelope = {
      version: "0",
      id,
      "detail-type": given.detailType,
      source: given.source,
      account: place.account,
      time: instantText(given.timeMs ?? nowMs),
      region: place.region,
      resources: given.resources,
      detail: given.detail,
    };
    const items = book.listening
      .filter(({ bus, matches }) => bus === given.bus && matches(event))
      .flatMap(({ kept: { rule } }) =>
        rule.spec.targets.flatMap((target) => {
          const body = targetInput(target, event, rule, place);
          const { lineage } = given;
          const route = `rule ${ruleKey(rule)}`;
          if (body !== undefined && Buffer.byteLength(body) <= ASYNC_PAYLOAD_BYTES_MAX)
            return targetItem(target, { id: random.uuid(), body, route, nowMs, lineage }) ?? [];
          onTooLarge(ruleKey(rule));
          return [];
        }),
      );
    return { id, items };
  }

  async #accepted(items: readonly NewAsyncItem[]): Promise<boolean> {
    return items.length === 0 || (await this.#options.events.accept(items)) === "accepted";
  }
}

function refuse(rule: string): never {
  const message = `The rule ${rule} makes more than ${ASYNC_PAYLOAD_BYTES_MAX} bytes of the event for a target.`;
  throw new ControlFault("InvalidParameterValueException", message);
}
