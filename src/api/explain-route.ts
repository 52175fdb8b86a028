import type { FastifyInstance } from "fastify";
import type { ControlPlane } from "../control/control-plane.ts";
import { mayInspect } from "./guard.ts";
import { addRoute, paramOf, queryOf } from "./route.ts";

/**
 * Why a mapping, by its UUID or name or the beginning of either, or one shard, message group or key of it (`part`), is
 * where it is; without one, all that are not fine.
 */
export function addExplainRoute(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/explain",
    role: "read",
    handle: (request) => control().explainAll({ inspect: mayInspect(request) }),
  });
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/mappings/:uuid/explain",
    role: "read",
    async handle(request) {
      const uuid = await control().mappings.uuidNamed(paramOf(request, "uuid"));
      return control().explain(uuid, queryOf(request, "part"), { inspect: mayInspect(request) });
    },
  });
}
