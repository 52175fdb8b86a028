import type { NewAsyncItem } from "../../model/async-item.ts";
import { parseExactJson } from "../../model/exact-json.ts";
import type { Place } from "../../model/place.ts";
import type { BusEntry } from "../../ports/async-destinations.ts";
import type { AsyncEvents } from "../../ports/async-events.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Membership } from "../../ports/membership.ts";
import type { Random } from "../../ports/random.ts";
import type { ResourceStore } from "../../ports/resource-store.ts";
import type { ScheduleTelemetry } from "../../ports/schedule-telemetry.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import { ControlFault } from "../control-fault.ts";
import { EventBus } from "./event-bus.ts";
import { type MissedTicks, MissedTicksBook } from "./missed-ticks.ts";
import { RuleControl } from "./rule-control.ts";
import { ScheduleBook } from "./schedule-book.ts";
import { ScheduleControl } from "./schedule-control.ts";
import { targetItem } from "./scheduled-event.ts";

export interface TimedControlsOptions {
  /** `undefined`: this process takes no asynchronous events, and has no ticks. */
  readonly events: AsyncEvents | undefined;
  readonly store: ResourceStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly place: Place;
  readonly membership: () => Membership;
  readonly telemetry: Pick<Telemetry, "log"> & { readonly ticks?: ScheduleTelemetry };
  /** Called after a change; resolves when this process has looked at it. */
  readonly onChange: () => Promise<void>;
}

const UNCOUNTED: ScheduleTelemetry = { ticked: () => undefined, missed: () => undefined };

/** Schedules, rules and the events that rules take: what runs of them, and what callers of the API do to them. */
export class TimedControls {
  readonly schedules: ScheduleControl;
  readonly rules: RuleControl;
  /** `undefined`: there are no ticks here. */
  readonly book: ScheduleBook | undefined;
  /** Ticks of a schedule that this process saw missed, by the name that metrics have for it. */
  readonly missed = (name: string): MissedTicks | undefined => this.#missed.of(name);
  readonly #missed: MissedTicksBook;
  readonly #bus: EventBus | undefined;
  readonly #options: TimedControlsOptions;

  constructor(options: TimedControlsOptions) {
    const { events, membership } = options;
    this.#options = options;
    this.#missed = new MissedTicksBook(options.telemetry.ticks ?? UNCOUNTED, options.clock);
    this.schedules = new ScheduleControl(options);
    this.rules = new RuleControl(options);
    const members = () => {
      const { processId, names, isCutOff } = membership();
      return { processId, living: [...names, processId], isCutOff };
    };
    this.book = events && new ScheduleBook({ ...options, events, members, ticks: this.#missed });
    this.#bus = events && this.book && new EventBus({ ...options, events, book: this.book });
  }

  /** @throws ControlFault where nobody keeps events. */
  get eventBus(): EventBus {
    if (this.#bus !== undefined) return this.#bus;
    throw notKept();
  }

  /**
   * Hands events over to one function, all of them or none.
   * @throws ControlFault where nobody keeps events; MillraceError ERR_MILLRACE_STORE_UNAVAILABLE
   */
  async push(functionName: string, bodies: readonly string[], route: string): Promise<"accepted" | "full"> {
    const { events, clock, random } = this.#options;
    if (events === undefined) throw notKept();
    const nowMs = clock.now();
    const items = bodies.flatMap(
      (body) => targetItem({ arn: functionName }, { id: random.uuid(), body, route, nowMs }) ?? [],
    );
    return (await events.accept(items)) === "accepted" ? "accepted" : "full";
  }

  /** What rules of a bus make of the end of an event; `undefined`: nobody keeps events. */
  busItems(bus: string, { detail, ...entry }: BusEntry): readonly NewAsyncItem[] | undefined {
    const parsed = parseExactJson(detail);
    const onTooLarge = (rule: string) =>
      this.#options.telemetry.log("error", "a rule makes too much of the end of an event for a target", {
        rule,
      });
    return this.#bus?.itemsOf({ ...entry, bus, detail: parsed, timeMs: undefined }, onTooLarge).items;
  }

  start(): void {
    this.book?.start();
  }

  async stop(): Promise<void> {
    await this.book?.stop();
  }
}

function notKept(): ControlFault {
  const message =
    "This store keeps no asynchronous events. Run millrace with --async-queue, or with --store sqlite: or postgres:.";
  return new ControlFault("ServiceException", message);
}
