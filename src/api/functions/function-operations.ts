import type { FastifyInstance } from "fastify";
import type { ControlPlane } from "../../control/control-plane.ts";
import { addFunctionRoutes } from "../function-routes.ts";
import { addInvokeConfigRoutes, addRecursionRoutes } from "./invoke-config-routes.ts";
import { addPolicyRoutes } from "./policy-routes.ts";
import { addProvisionedRoutes } from "./provisioned-routes.ts";
import { addRuntimeRoutes } from "./runtime-routes.ts";
import { addUrlRoutes } from "./url-routes.ts";
import { addAliasRoutes, addVersionRoutes } from "./version-routes.ts";
import { addFunctionWriteRoutes } from "./write-routes.ts";

/** Lambda's operations on functions, their versions, their aliases, and what is said of each of these. */
export function addFunctionOperations(app: FastifyInstance, control: () => ControlPlane): void {
  addFunctionRoutes(app, control);
  addFunctionWriteRoutes(app, control);
  addVersionRoutes(app, control);
  addAliasRoutes(app, control);
  addProvisionedRoutes(app, control);
  addUrlRoutes(app, control);
  addInvokeConfigRoutes(app, control);
  addRecursionRoutes(app, control);
  addPolicyRoutes(app, control);
  addRuntimeRoutes(app, control);
}
