import { compileRawPattern } from "../../engine/filter/filter.ts";
import { patternText } from "../../manifests/schedule-resource.ts";
import { MillraceError } from "../../model/errors.ts";
import type { Place } from "../../model/place.ts";
import type { AsyncEvents } from "../../ports/async-events.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ResourceRow, ResourceStore } from "../../ports/resource-store.ts";
import type { ScheduleTelemetry } from "../../ports/schedule-telemetry.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import { isOrphaned } from "../../resources/document.ts";
import type { Scheduled, SchedulerMembers } from "../../schedules/scheduled.ts";
import { Scheduler } from "../../schedules/scheduler.ts";
import { type KeptRule, scheduledOf, scheduledRule, schedulesOf } from "./schedule-rows.ts";

export interface ScheduleBookOptions {
  readonly events: AsyncEvents;
  readonly store: ResourceStore;
  readonly clock: Clock;
  readonly place: Place;
  readonly members: () => SchedulerMembers;
  readonly telemetry: Pick<Telemetry, "log">;
  readonly ticks: ScheduleTelemetry;
}

/** A rule that takes events, with its pattern compiled. */
export interface ListeningRule {
  readonly kept: KeptRule;
  readonly bus: string;
  matches(event: object): boolean;
}

/** Schedules and rules of this process, as the last look had their rows. */
export class ScheduleBook {
  readonly #options: ScheduleBookOptions;
  readonly #scheduler: Scheduler;
  #listening: readonly ListeningRule[] = [];
  readonly #deleting = new Set<string>();

  constructor(options: ScheduleBookOptions) {
    this.#options = options;
    const { events, clock, members, telemetry, ticks } = options;
    this.#scheduler = new Scheduler({
      queue: {
        put: async (items, cursor) => {
          const answer = await events.accept(items, cursor);
          if (answer === "full") {
            const message = "The queue of asynchronous events is full: a tick waits until there is room.";
            throw new MillraceError("ERR_MILLRACE_STORE_UNAVAILABLE", message);
          }
          return answer === "accepted" ? "put" : "stale";
        },
        cursors: (prefix) => events.cursors(prefix),
      },
      clock,
      members,
      telemetry,
      ticks,
      onCompleted: (scheduled) => this.#onCompleted(scheduled),
    });
  }

  /** Rules that take events, of all buses. */
  get listening(): readonly ListeningRule[] {
    return this.#listening;
  }

  /** Returns names of rows that cannot be read; `carriedOut` resolves when nobody goes by older rows any more. */
  declare(rows: readonly ResourceRow[]): {
    readonly unreadable: readonly string[];
    readonly carriedOut: Promise<void>;
  } {
    const { place, clock } = this.#options;
    const { schedules, rules, unreadable } = schedulesOf(rows);
    const known = new Map(this.#listening.map((each) => [each.kept.row.uid, each]));
    this.#listening = rules.flatMap((kept) => listening(kept, known.get(kept.row.uid)));
    const wanted = [
      ...schedules.map((kept) => scheduledOf(kept, place, clock)),
      ...rules.map((kept) => scheduledRule(kept, place, clock)),
    ].filter((each) => each !== undefined);
    return { unreadable, carriedOut: this.#scheduler.want(wanted) };
  }

  start(): void {
    this.#scheduler.start();
  }

  async stop(): Promise<void> {
    await this.#scheduler.stop();
  }

  /** `ActionAfterCompletion: DELETE`, of a schedule that the API owns: a manifest would bring it back. */
  #onCompleted({ uid, generation }: Scheduled): void {
    if (this.#deleting.has(uid)) return;
    this.#deleting.add(uid);
    void this.#delete(uid, generation)
      // The store is asked again when the schedule is looked at again.
      .catch(() => undefined)
      .finally(() => this.#deleting.delete(uid));
  }

  async #delete(uid: string, generation: number): Promise<void> {
    const { store, telemetry } = this.#options;
    const row = await store.get(uid);
    const [kept] = row === undefined ? [] : schedulesOf([row]).schedules;
    if (row === undefined || kept === undefined || kept.document.generation !== generation) return;
    const { document, schedule } = kept;
    if (schedule.spec.actionAfterCompletion !== "DELETE" || document.owner.kind !== "api") return;
    const { kind } = await store.remove(uid, row.version);
    if (kind === "removed")
      telemetry.log("info", "schedule deleted: it is completed", { schedule: row.name });
  }
}

function listening(kept: KeptRule, known: ListeningRule | undefined): readonly ListeningRule[] {
  const { rule, document, row } = kept;
  const text = patternText(rule.spec);
  if (text === undefined || rule.spec.state === "DISABLED" || isOrphaned(document)) return [];
  const isSame = known !== undefined && known.kept.row.version === row.version;
  if (isSame) return [known];
  return [{ kept, bus: rule.spec.eventBusName, matches: compileRawPattern(text) }];
}
