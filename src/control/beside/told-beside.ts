import type { FunctionResource } from "../../manifests/resources.ts";
import { FUNCTION_LANE } from "../../model/async-item.ts";
import type { Place } from "../../model/place.ts";
import type { EventsBook } from "../control-plane-options.ts";
import { GRAVITY, gravityOf } from "../gravity.ts";
import type { RouteBook } from "../routes/route-book.ts";
import type { FrontPlace } from "../routes/route-url.ts";
import { routeViews } from "../routes/route-views.ts";
import type { TimedControls } from "../schedules/timed-controls.ts";
import { type ToldReason, toldReason } from "../told-parts.ts";
import type { WholeView } from "../whole-view.ts";
import {
  deliveryReasons,
  eventLines,
  reasonLines,
  SEEN_ITEMS,
  type ToldEvents,
  toldEvents,
} from "./told-events.ts";
import { routeLines, type ToldRoute, toldRoute } from "./told-routes.ts";
import { scheduleLines, type ToldSchedule, toldRule, toldSchedule } from "./told-schedules.ts";

/** What `explain` says of something that is no mapping. */
export interface ExplainedBeside {
  readonly kind: "events" | "schedule" | "rule" | "route" | "deliveries";
  readonly name: string;
  readonly reasons: readonly ToldReason[];
  readonly text: readonly string[];
}

interface Plane {
  readonly events: EventsBook | undefined;
  readonly functions: readonly FunctionResource[];
  readonly timed: Pick<TimedControls, "schedules" | "rules" | "missed">;
  readonly routes: Pick<RouteBook, "routes">;
  readonly place: Place;
  readonly front: FrontPlace | undefined;
  everywhere(isPatient: boolean): Promise<WholeView>;
}

/** Functions whose events are told of at once. */
const FUNCTIONS_MAX = 1_000;

/** Events, schedules and routes: how they stand, and what is in their way. */
export class ToldBeside {
  readonly #plane: Plane;

  constructor(plane: Plane) {
    this.#plane = plane;
  }

  /** Functions that have events, or have had; those with most in the queue first. */
  async events(mayInspect: boolean): Promise<readonly ToldEvents[]> {
    const { events } = this.#plane;
    if (events === undefined) return [];
    const whole = await this.#plane.everywhere(false);
    const waiting = events.backlog.flatMap(({ lane }) =>
      lane.startsWith(FUNCTION_LANE) ? [lane.slice(FUNCTION_LANE.length)] : [],
    );
    const seen = whole.processes.flatMap(({ snapshot }) => (snapshot.events ?? []).map(({ fn }) => fn));
    const names = [...new Set([...waiting, ...seen])].slice(0, FUNCTIONS_MAX);
    const told: ToldEvents[] = [];
    for (const name of names) told.push(await this.#eventsOf(name, events, whole, mayInspect));
    return told.toSorted((a, b) => b.items - a.items || (a.function < b.function ? -1 : 1));
  }

  /** `undefined`: this process runs no events. */
  async eventsOf(name: string, mayInspect: boolean): Promise<ToldEvents | undefined> {
    const { events } = this.#plane;
    if (events === undefined) return undefined;
    return await this.#eventsOf(name, events, await this.#plane.everywhere(false), mayInspect);
  }

  /** @throws MillraceError ERR_MILLRACE_STORE_UNAVAILABLE */
  async schedules(): Promise<readonly ToldSchedule[]> {
    const { timed, functions } = this.#plane;
    const seen = { functions, missed: timed.missed };
    return [
      ...(await timed.schedules.list()).map((view) => toldSchedule(view, seen)),
      ...(await timed.rules.list()).map((view) => toldRule(view, seen)),
    ];
  }

  routes(): readonly ToldRoute[] {
    const { functions, place, front, routes: book } = this.#plane;
    const { routes } = book;
    const isServed = front?.url() !== undefined;
    return routeViews(routes, functions, place, front).flatMap((view, index) => {
      const route = routes[index];
      return route === undefined ? [] : [toldRoute(view, route, functions, isServed)];
    });
  }

  /** A schedule, a rule or a route of this name; of several all. */
  async named(name: string): Promise<readonly ExplainedBeside[]> {
    const schedules = (await this.schedules()).filter(
      (each) => each.name === name || each.name.endsWith(`/${name}`),
    );
    const routes = this.routes().filter((each) => each.name === name);
    return [...schedules.map(explainedSchedule), ...routes.map(explainedRoute)].map(withReasons);
  }

  /** All that somebody has to look at. */
  async bad(mayInspect: boolean): Promise<readonly ExplainedBeside[]> {
    const events = (await this.events(mayInspect)).map(explainedEvents);
    const told = new Set(events.flatMap(({ reasons }) => reasons.map(({ facts }) => facts["destination"])));
    const others = (this.#plane.events?.deliveries() ?? []).filter(
      ({ destination }) => !told.has(destination),
    );
    const all = [
      ...events,
      ...others.map((standing) => {
        const reasons = deliveryReasons(standing).map(toldReason);
        const name = standing.destination;
        return { kind: "deliveries" as const, name, reasons, text: [`records of events for ${name}`] };
      }),
      ...(await this.schedules()).map(explainedSchedule),
      ...this.routes().map(explainedRoute),
    ];
    return all
      .filter(({ reasons }) => reasons.some(({ code }) => gravityOf(code) >= GRAVITY.wait))
      .map(withReasons);
  }

  async #eventsOf(
    name: string,
    events: EventsBook,
    whole: WholeView,
    mayInspect: boolean,
  ): Promise<ToldEvents> {
    const standing = events.standingOf(name);
    const items = standing.items === 0 ? [] : await events.list(name, SEEN_ITEMS);
    const resource = this.#plane.functions.find((fn) => fn.name === name);
    const bytes = events.backlog.reduce((sum, each) => sum + each.bytes, 0);
    const isFull = standing.items >= events.itemsMax || (standing.items > 0 && bytes >= events.bytesMax);
    const deliveries = events.deliveries();
    return toldEvents({ name, resource, standing, items, deliveries, isFull, mayInspect }, whole);
  }
}

function explainedEvents(told: ToldEvents): ExplainedBeside {
  const { function: name, reasons } = told;
  const [first = "", ...rest] = eventLines(told);
  return {
    kind: "events",
    name,
    reasons,
    text: [`function ${name}: ${first}`, ...rest.map((line) => `  ${line}`)],
  };
}

function explainedSchedule(told: ToldSchedule): ExplainedBeside {
  const { kind, name, reasons } = told;
  return { kind, name, reasons, text: scheduleLines(told) };
}

function explainedRoute(told: ToldRoute): ExplainedBeside {
  const { name, reasons } = told;
  return { kind: "route", name, reasons, text: routeLines(told) };
}

function withReasons(told: ExplainedBeside): ExplainedBeside {
  return { ...told, text: [...told.text, ...reasonLines(told.reasons).map((line) => `    ${line}`)] };
}
