import type { FastifyInstance } from "fastify";
import { ControlFault } from "../control/control-fault.ts";
import type { ControlPlane } from "../control/control-plane.ts";
import type { EventsBook } from "../control/control-plane-options.ts";
import type { LastAttempt } from "../model/async-item.ts";
import type { ListedAsyncItem, ShownAsyncItem } from "../ports/async-queue.ts";
import { invalid } from "./failure-filter.ts";
import { mayInspect, noteSubject } from "./guard.ts";
import { addRoute, paramOf, queryOf } from "./route.ts";

const LISTED = 100;
const LISTED_MAX = 1_000;

/** Asynchronous events: how those of each function stand, the items of one, and one of them with what it holds. */
export function addEventRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/events",
    role: "read",
    async handle(request) {
      const plane = control();
      const functions = await plane.toldBeside.events(mayInspect(request));
      return { functions, deliveries: plane.events?.deliveries() ?? [] };
    },
  });
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/functions/:name/events",
    role: "read",
    async handle(request) {
      const items = await kept(control()).list(paramOf(request, "name"), readMax(queryOf(request, "max")));
      return { events: items.map((item) => listedShape(item, mayInspect(request))) };
    },
  });
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/events/:id",
    role: "inspect",
    action: "ShowEvent",
    async handle(request) {
      const id = paramOf(request, "id");
      noteSubject(request, { event: id });
      const item = await kept(control()).show(id);
      if (item !== undefined) return shownShape(item);
      const message = `There is no event ${JSON.stringify(id.slice(0, 100))} in the queue: it has come to its end.`;
      throw new ControlFault("ResourceNotFoundException", message);
    },
  });
}

function kept({ events }: ControlPlane): EventsBook {
  if (events !== undefined) return events;
  throw invalid("This store keeps no asynchronous events. Run millrace with --async-queue.");
}

function readMax(text: string | undefined): number {
  const max = Number(text ?? LISTED);
  if (Number.isInteger(max) && max > 0 && max <= LISTED_MAX) return max;
  throw invalid(`max is to be a whole number from 1 to ${LISTED_MAX}.`);
}

/** What a function has said is for those who may see it. */
function listedShape(item: ListedAsyncItem, showsTexts: boolean) {
  const { id, kind, lane, qualifier, bytes, state, ageMs, isHeld, dueInMs, receiveCount } = item;
  const {
    runs = 0,
    functionErrors = 0,
    throttles = 0,
    deliveryFailures = 0,
    acceptedMs,
    route,
    last,
  } = state ?? {};
  return {
    id,
    kind,
    of: lane.slice(lane.indexOf(":") + 1),
    ...(qualifier === "" ? {} : { qualifier }),
    bytes,
    ...(acceptedMs === undefined ? {} : { accepted: new Date(acceptedMs).toISOString() }),
    ageMs,
    isHeld,
    dueInMs,
    receiveCount,
    attempts: { runs, functionErrors, throttles, deliveryFailures },
    ...(route === undefined ? {} : { route }),
    ...(last === undefined ? {} : { last: lastShape(last, showsTexts) }),
  };
}

function lastShape(
  { statusCode, functionError, executedVersion, message }: LastAttempt,
  showsTexts: boolean,
) {
  return {
    statusCode,
    ...(functionError === undefined ? {} : { functionError }),
    ...(executedVersion === undefined ? {} : { executedVersion }),
    ...(message === undefined || !showsTexts ? {} : { message }),
  };
}

function shownShape(item: ShownAsyncItem) {
  const payload = new TextDecoder().decode(item.body);
  const answer = item.state?.last?.payload;
  return { ...listedShape(item, true), payload, ...(answer === undefined ? {} : { answer }) };
}
