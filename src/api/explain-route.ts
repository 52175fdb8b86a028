import type { FastifyInstance } from "fastify";
import type { ControlPlane } from "../control/control-plane.ts";
import { uuidOf } from "./mapping-routes.ts";
import { addRoute, queryOf } from "./route.ts";

/** Why a mapping, or one shard, partition or message group of it (`part`), is where it is. */
export function addExplainRoute(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/mappings/:uuid/explain",
    role: "read",
    handle: (request) => control().explain(uuidOf(request), queryOf(request, "part")),
  });
}
