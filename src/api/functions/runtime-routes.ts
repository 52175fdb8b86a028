import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ControlPlane } from "../../control/control-plane.ts";
import { invalid } from "../../control/functions/function-faults.ts";
import { functionArn } from "../../manifests/function-name.ts";
import { noteSubject } from "../guard.ts";
import { addRoute, jsonOf } from "../route.ts";
import { requestedName, unqualifiedName } from "./function-name.ts";
import { Members } from "./members.ts";

const RUNTIME_URL = "/2021-07-20/functions/:name/runtime-management-config";
const SIGNING_URL = "/2020-06-30/functions/:name/code-signing-config";
const MODES = ["Auto", "FunctionUpdate", "Manual"];

/** What Lambda says of a function that is the host's here: which build of its runtime it gets, and who signs code. */
export function addRuntimeRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "GET",
    url: RUNTIME_URL,
    role: "read",
    async handle(request) {
      return await runtimeShape(request, control());
    },
  });
  addRoute(app, {
    method: "PUT",
    url: RUNTIME_URL,
    role: "write",
    action: "PutRuntimeManagementConfig",
    async handle(request) {
      noteSubject(request, { function: requestedName(request).name });
      const members = new Members(jsonOf(request));
      const mode = members.oneOf("UpdateRuntimeOn", MODES);
      if (mode === undefined) members.constraint("updateRuntimeOn", null, "Member must not be null");
      members.check();
      if (mode !== "Auto")
        throw invalid(
          `UpdateRuntimeOn ${mode} is not supported by millrace: functions run on the programs of their host, which change with it. Leave it at Auto, or name a program as command in a manifest.`,
        );
      return await runtimeShape(request, control());
    },
  });
  addRoute(app, {
    method: "GET",
    url: SIGNING_URL,
    role: "read",
    async handle(request) {
      // Terraform asks for it with every function: no code is signed here.
      const { name } = await control().functionControls.functions.get(requestedName(request).name, undefined);
      return { FunctionName: name };
    },
  });
  addRoute(app, {
    method: "DELETE",
    url: SIGNING_URL,
    role: "write",
    action: "DeleteFunctionCodeSigningConfig",
    async handle(request, reply) {
      const { name } = await control().functionControls.functions.get(unqualifiedName(request), undefined);
      noteSubject(request, { function: name });
      return reply.code(204).send();
    },
  });
}

async function runtimeShape(request: FastifyRequest, { functionControls, place }: ControlPlane) {
  const { name, qualifier = "$LATEST" } = requestedName(request);
  await functionControls.functions.get(name, qualifier);
  return { UpdateRuntimeOn: "Auto", FunctionArn: functionArn({ name, qualifier }, place) };
}
