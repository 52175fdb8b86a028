import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ControlPlane } from "../control/control-plane.ts";
import type { AskedRedrive } from "../control/redrive-control.ts";
import type { FailureFilter } from "../failures/failure-filter.ts";
import type { RedriveDelivery, RedriveTarget } from "../model/redrive.ts";
import type { RedriveStatus } from "../ports/redrives.ts";
import { invalid, readFilter } from "./failure-filter.ts";
import { membersOf } from "./failure-routes.ts";
import { callerOf, noteSubject } from "./guard.ts";
import { addRoute, jsonOf, paramOf } from "./route.ts";
import { ApiFault } from "./wire-fault.ts";

type Members = Readonly<Record<string, unknown>>;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const RATE_MAX = 100_000;

const CHANGES = [
  { path: "pause", action: "PauseRedrive", change: "pause" },
  { path: "resume", action: "ResumeRedrive", change: "resume" },
  { path: "cancel", action: "CancelRedrive", change: "cancel" },
  { path: "retry-uncertain", action: "RetryUncertainOfRedrive", change: "retryUncertain" },
] as const;

/** The way back of what was given up: planned, begun, watched, paused, resumed and cancelled. */
export function addRedriveRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/redrives",
    role: "read",
    async handle() {
      const names = await control().failures.mappingNames();
      const redrives = await control().failures.redrives.redrives.list();
      return { redrives: redrives.map((each) => statusShape(each, names)) };
    },
  });
  addRoute(app, {
    method: "POST",
    url: "/millrace/v1/redrives",
    role: "write",
    action: "CreateRedrive",
    async handle(request, reply) {
      const plane = control();
      const body = jsonOf(request);
      const filter = await readFilter(membersOf(body), plane);
      const events = textOf(body, "events");
      if (events !== undefined) return await redriveEvents(plane, events, filter, body["dryRun"] === true);
      if (body["dryRun"] === true)
        return { dryRun: true, plan: await plane.failures.redrives.dryRun(filter) };
      if (textOf(body, "to") === "source")
        return { moved: await plane.failures.redrives.moveBack(filter, rateOf(body)) };
      const created = await plane.failures.redrives.create({
        ...askedOf(body),
        filter,
        caller: callerOf(request),
      });
      noteSubject(request, { redrive: created.id });
      return reply.code(201).send(statusShape(created, await plane.failures.mappingNames()));
    },
  });
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/redrives/:id",
    role: "read",
    async handle(request) {
      return await statusOf(control(), await control().failures.redrives.get(paramOf(request, "id")));
    },
  });
  for (const { path, action, change } of CHANGES) {
    addRoute(app, {
      method: "POST",
      url: `/millrace/v1/redrives/:id/${path}`,
      role: "write",
      action,
      async handle(request) {
        return await statusOf(
          control(),
          await control().failures.redrives.change(subjectOf(request), change),
        );
      },
    });
  }
  addRoute(app, {
    method: "POST",
    url: "/millrace/v1/redrives/:id/rate",
    role: "write",
    action: "SetRateOfRedrive",
    async handle(request) {
      const rate = rateOf(jsonOf(request));
      return await statusOf(control(), await control().failures.redrives.setRate(subjectOf(request), rate));
    },
  });
}

/** Events are put back into their queue, some at each call: 0 were, there are no more. */
async function redriveEvents(
  { failures: { events } }: ControlPlane,
  functionName: string,
  filter: FailureFilter,
  isDry: boolean,
) {
  if (isDry) return { dryRun: true, events: await events.dryRun(functionName, filter) };
  const invoked = await events.redrive(functionName, filter);
  if (invoked !== "full") return { invoked };
  throw new ApiFault("TooManyRequestsException", "The queue of asynchronous events is full. Try again.");
}

function subjectOf(request: FastifyRequest): string {
  const redrive = paramOf(request, "id");
  noteSubject(request, { redrive: redrive.slice(0, 100) });
  return redrive;
}

function askedOf(body: Members): Omit<AskedRedrive, "filter" | "caller"> {
  const name = textOf(body, "name");
  if (name !== undefined && !NAME.test(name))
    throw invalid("name is to be of 1 to 64 letters, digits and . _ -, and begins with a letter or digit.");
  return { name, to: targetOf(body), rate: rateOf(body), share: shareOf(body), delivery: deliveryOf(body) };
}

function targetOf(body: Members): RedriveTarget {
  const to = textOf(body, "to") ?? "function";
  const candidate = textOf(body, "function");
  if (to !== "function") throw invalid("to is to be function or source.");
  return candidate === undefined ? { kind: "function" } : { kind: "candidate", functionName: candidate };
}

function rateOf({ rate }: Members): number | undefined {
  if (rate === undefined || rate === null) return undefined;
  if (typeof rate === "number" && rate > 0 && rate <= RATE_MAX) return rate;
  throw invalid(`rate is to be a number of records a second above 0, at most ${RATE_MAX}.`);
}

function shareOf({ share }: Members): number | undefined {
  if (share === undefined) return undefined;
  if (typeof share === "number" && share > 0 && share <= 1) return share;
  throw invalid("share is to be a part of the function's concurrency: above 0, at most 1.");
}

function deliveryOf(body: Members): RedriveDelivery | undefined {
  const delivery = textOf(body, "delivery");
  if (delivery === undefined || delivery === "at-most-once" || delivery === "at-least-once") return delivery;
  throw invalid("delivery is to be at-most-once or at-least-once.");
}

function textOf(body: Members, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || typeof value === "string") return value;
  throw invalid(`${name} is to be a text.`);
}

async function statusOf(control: ControlPlane, status: RedriveStatus) {
  return statusShape(status, await control.failures.mappingNames());
}

function statusShape(
  { selection: _, cursor: __, version: ___, mapping, createdMs, endedMs, ...status }: RedriveStatus,
  names: ReadonlyMap<string, string>,
) {
  return {
    ...status,
    mapping: names.get(mapping) ?? mapping,
    mappingUuid: mapping,
    created: new Date(createdMs).toISOString(),
    ...(endedMs === undefined ? {} : { ended: new Date(endedMs).toISOString() }),
  };
}
