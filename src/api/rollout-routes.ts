import type { FastifyInstance } from "fastify";
import type { ControlPlane } from "../control/control-plane.ts";
import { invalid } from "../control/functions/function-faults.ts";
import type { RolloutView } from "../control/rollouts/rollout-control.ts";
import { rolloutLines } from "../control/rollouts/rollout-text.ts";
import { declaredRollout, orderOf } from "../manifests/rollout-schema.ts";
import type { RolloutOrder } from "../model/rollout.ts";
import type { RolloutEvent } from "../resources/rollout-history.ts";
import { noteSubject } from "./guard.ts";
import { addRoute, jsonOf, paramOf } from "./route.ts";

const PATH = "/millrace/v1/rollouts";

/** New versions on their way to all traffic of an alias: started, looked at, stopped. */
export function addRolloutRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "GET",
    url: PATH,
    role: "read",
    handle: async () => ({
      rollouts: (await control().rollouts.list()).map(rolloutShape),
      former: (await control().rollouts.former()).map(formerShape),
    }),
  });
  addRoute(app, {
    method: "POST",
    url: PATH,
    role: "write",
    action: "StartRollout",
    async handle(request, reply) {
      const body = jsonOf(request);
      const [fn, alias] = [textOf(body, "function"), textOf(body, "alias")];
      noteSubject(request, { function: fn });
      const version = String(body["version"] ?? "");
      if (!/^[0-9]{1,10}$/.test(version)) throw invalid("version is to be the number of a version.");
      const started = await control().rollouts.start(fn, alias, version, orderIn(body));
      return reply.code(201).send(rolloutShape(started));
    },
  });
  addRoute(app, {
    method: "GET",
    url: `${PATH}/:id`,
    role: "read",
    handle: async (request) => shownShape(await control().rollouts.get(paramOf(request, "id"))),
  });
  addRoute(app, {
    method: "POST",
    url: `${PATH}/:id/stop`,
    role: "write",
    action: "StopRollout",
    async handle(request) {
      const rollout = paramOf(request, "id");
      noteSubject(request, { rollout: rollout.slice(0, 20) });
      return rolloutShape(await control().rollouts.stop(rollout));
    },
  });
  addRoute(app, {
    method: "POST",
    url: `${PATH}/:id/hooks/:execution`,
    role: "write",
    action: "PutLifecycleEventHookExecutionStatus",
    async handle(request) {
      const { status } = jsonOf(request);
      if (status !== "Succeeded" && status !== "Failed") {
        throw invalid("status is to be Succeeded or Failed.");
      }
      const [rollout, execution] = [paramOf(request, "id"), paramOf(request, "execution")];
      noteSubject(request, { rollout: rollout.slice(0, 20) });
      return rolloutShape(await control().rollouts.hookEnded(rollout, execution, status));
    },
  });
}

function orderIn(body: Readonly<Record<string, unknown>>): RolloutOrder {
  const { type = "Canary10Percent5Minutes", alarms, minimumInvocations, requireTraffic, hooks } = body;
  const given = { type, alarms, minimumInvocations, requireTraffic, hooks };
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const { data, error } = declaredRollout.safeParse(known);
  if (data === undefined) {
    const [issue] = error.issues;
    throw invalid(`${issue?.path.join(".") ?? "The rollout"}: ${issue?.message ?? "it cannot be read"}.`);
  }
  const order = orderOf(data);
  if (order === undefined) {
    throw invalid(
      `There is no rollout ${String(type).slice(0, 80)}. Give AllAtOnce, Canary10Percent5Minutes, Linear10PercentEvery1Minute or { kind, percent, minutes }.`,
    );
  }
  return order;
}

function textOf(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name];
  if (typeof value === "string" && value !== "") return value;
  throw invalid(`${name} is missing.`);
}

/** With why it stands where it stands, and points of both versions for a plot. */
function shownShape(view: RolloutView) {
  const { events, sight } = view;
  return {
    ...rolloutShape(view),
    text: rolloutLines(view),
    events: events.map(eventShape),
    points: sight?.points ?? [],
  };
}

function eventShape({ id: _id, atMs, ...event }: RolloutEvent) {
  return { at: new Date(atMs).toISOString(), ...event };
}

function formerShape({ name, id, ...event }: RolloutEvent & { readonly name: string }) {
  const [fn, alias] = name.split(":");
  return { id, function: fn, alias, ...eventShape({ id, ...event }) };
}

function rolloutShape({
  fn,
  startedMs,
  endedMs,
  hook,
  events: _events,
  sight: _sight,
  ...view
}: RolloutView) {
  return {
    function: fn,
    ...view,
    ...(hook === undefined ? {} : { hook: hook.status }),
    startedAt: new Date(startedMs).toISOString(),
    ...(endedMs === undefined ? {} : { endedAt: new Date(endedMs).toISOString() }),
  };
}
