import { ruleKey } from "../../manifests/schedule-resource.ts";
import type { Place } from "../../model/place.ts";
import type { AsyncEvents } from "../../ports/async-events.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
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
}

/** Hands events over to the targets of the rules that match: each target of each rule gets it once. */
export class EventBus {
  readonly #options: EventBusOptions;

  constructor(options: EventBusOptions) {
    this.#options = options;
  }

  /**
   * Resolves to the event's id when what it goes to is durable; `full`: nothing was put.
   * @throws MillraceError ERR_MILLRACE_STORE_UNAVAILABLE
   */
  async put(given: GivenEvent): Promise<string | "full"> {
    const { place, clock, random, events, book } = this.#options;
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
          return targetItem(target, { id: random.uuid(), body, route: `rule ${ruleKey(rule)}`, nowMs }) ?? [];
        }),
      );
    if (items.length === 0) return id;
    return (await events.accept(items)) === "accepted" ? id : "full";
  }
}
