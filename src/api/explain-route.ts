import type { FastifyInstance } from "fastify";
import { notFound } from "../control/control-fault.ts";
import type { ControlPlane } from "../control/control-plane.ts";
import { mayInspect, noteContentView } from "./guard.ts";
import { addRoute, paramOf, queryOf } from "./route.ts";

/**
 * Why a mapping, by its UUID or name or the beginning of either, or one shard, message group or key of it (`part`), is
 * where it is; without one, all that is not fine, events, schedules and routes among it.
 */
export function addExplainRoute(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/explain",
    role: "read",
    async handle(request) {
      const inspect = mayInspect(request);
      const all = await control().explainAll({ inspect });
      if (inspect && all.mappings.length > 0) noteContentView(request, "ShowErrors", {});
      return all;
    },
  });
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/environments",
    role: "read",
    handle: async () => ({ functions: await control().toldFunctions.environments() }),
  });
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/functions/:name/explain",
    role: "read",
    async handle(request) {
      const explained = await control().toldFunctions.explain(paramOf(request, "name"), mayInspect(request));
      if (explained === undefined) throw notFound();
      return explained;
    },
  });
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/mappings/:uuid/explain",
    role: "read",
    async handle(request) {
      const inspect = mayInspect(request);
      const named = paramOf(request, "uuid");
      const part = queryOf(request, "part");
      // A whole name comes before the beginning of another.
      const isWhole = part !== undefined || (await control().mappings.has(named));
      const other = isWhole ? undefined : await explainOther(named, inspect, control());
      if (other !== undefined) return other;
      const uuid = await control().mappings.uuidNamed(named);
      const explained = await control().explain(uuid, part, { inspect });
      const errors = explained.errors.errors.map(({ id }) => id);
      if (inspect && errors.length > 0)
        noteContentView(request, "ShowErrors", { uuid, errors: errors.join() });
      return explained;
    },
  });
}

/** What is no mapping: a function with its events, schedules, rules and routes of that name. */
async function explainOther(name: string, inspect: boolean, plane: ControlPlane) {
  const fn = await plane.toldFunctions.explain(name, inspect);
  const others = await plane.toldBeside.named(name);
  const text = [...(fn?.text ?? []), ...others.flatMap((each) => each.text)];
  if (text.length === 0) return undefined;
  return { ...fn, ...(others.length === 0 ? {} : { others }), text };
}
