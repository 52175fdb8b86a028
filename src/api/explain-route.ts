import type { FastifyInstance } from "fastify";
import type { ControlPlane } from "../control/control-plane.ts";
import { mayInspect } from "./guard.ts";
import { addRoute, paramOf, queryOf } from "./route.ts";

/** Why a mapping, by its UUID or its name, or one shard or message group of it (`part`), is where it is. */
export function addExplainRoute(app: FastifyInstance, control: () => ControlPlane): void {
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
