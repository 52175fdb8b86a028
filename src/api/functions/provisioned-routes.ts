import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { validationFault } from "../../control/control-fault.ts";
import type { ControlPlane } from "../../control/control-plane.ts";
import type { ProvisionedView } from "../../control/functions/provisioned-control.ts";
import { functionArn } from "../../manifests/function-name.ts";
import type { Place } from "../../model/place.ts";
import { noteSubject } from "../guard.ts";
import { MAX_ITEMS_OF_FUNCTION, pageOf } from "../mapping-routes.ts";
import { addRoute, jsonOf, queryOf } from "../route.ts";
import { type RequestedName, requestedName } from "./function-name.ts";
import { Members } from "./members.ts";

const URL = "/2019-09-30/functions/:name/provisioned-concurrency";
const CONCURRENCY_MAX = 10_000;

/** Lambda's operations on environments that versions keep ready. */
export function addProvisionedRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "PUT",
    url: URL,
    role: "write",
    action: "PutProvisionedConcurrencyConfig",
    async handle(request, reply) {
      const { name, qualifier } = qualifiedName(request);
      noteSubject(request, { function: name });
      const members = new Members(jsonOf(request));
      const wanted = members.whole("ProvisionedConcurrentExecutions", 1, CONCURRENCY_MAX);
      if (wanted === undefined)
        members.constraint("provisionedConcurrentExecutions", null, "Member must not be null");
      members.check();
      const view = await control().functionControls.provisioned.put(name, qualifier, wanted ?? 0);
      reply.code(202);
      return shape(view);
    },
  });
  addRoute(app, {
    method: "GET",
    url: URL,
    role: "read",
    async handle(request, reply) {
      if (queryOf(request, "List") === "ALL") return await list(request, control());
      const { name, qualifier } = qualifiedName(request);
      return answered(reply, await control().functionControls.provisioned.get(name, qualifier));
    },
  });
  addRoute(app, {
    method: "DELETE",
    url: URL,
    role: "write",
    action: "DeleteProvisionedConcurrencyConfig",
    async handle(request, reply) {
      const { name, qualifier } = qualifiedName(request);
      noteSubject(request, { function: name });
      await control().functionControls.provisioned.remove(name, qualifier);
      return reply.code(204).send();
    },
  });
}

function answered(reply: FastifyReply, view: ProvisionedView): Record<string, unknown> {
  reply.code(200);
  return shape(view);
}

async function list(request: FastifyRequest, control: ControlPlane): Promise<object> {
  const views = await control.functionControls.provisioned.list(requestedName(request).name);
  const page = pageOf(request, views, ({ qualifier }) => qualifier, MAX_ITEMS_OF_FUNCTION);
  const arnOf = (view: ProvisionedView, place: Place) =>
    functionArn({ name: view.fn, qualifier: view.qualifier }, place);
  const configs = page.items.map((view) => ({ FunctionArn: arnOf(view, control.place), ...shape(view) }));
  return { ...page.next, ProvisionedConcurrencyConfigs: configs };
}

/** @throws ControlFault ValidationException without a version or an alias */
function qualifiedName(request: FastifyRequest): RequestedName & { readonly qualifier: string } {
  const { name, qualifier } = requestedName(request);
  if (qualifier !== undefined) return { name, qualifier };
  throw validationFault(["Value null at 'qualifier' failed to satisfy constraint: Member must not be null"]);
}

function shape({ requested, ready, status, lastModifiedMs }: ProvisionedView): Record<string, unknown> {
  return {
    RequestedProvisionedConcurrentExecutions: requested,
    AvailableProvisionedConcurrentExecutions: ready,
    AllocatedProvisionedConcurrentExecutions: ready,
    Status: status,
    ...(status === "FAILED" ? { StatusReason: "FUNCTION_ERROR_INIT_FAILURE" } : {}),
    LastModified: new Date(lastModifiedMs).toISOString().replace(/\.\d{3}Z$/, "+0000"),
  };
}
