import type { FastifyInstance } from "fastify";
import type { ControlPlane } from "../../control/control-plane.ts";
import { invalid } from "../../control/functions/function-faults.ts";
import { mayInspect, noteSubject } from "../guard.ts";
import { readTags } from "../mapping-members.ts";
import { addRoute, jsonOf } from "../route.ts";
import { CODE_REQUEST_BYTES_MAX, readArchive } from "./code-members.ts";
import { readArchitectures, readCreateFields, readUpdateFields } from "./function-members.ts";
import { parsedName, requestedName, unqualifiedName } from "./function-name.ts";
import { functionShape } from "./function-shape.ts";
import { Members } from "./members.ts";

const PATH = "/2015-03-31/functions";

/** Lambda's operations that make, change and delete functions. */
export function addFunctionWriteRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "POST",
    url: PATH,
    role: "write",
    action: "CreateFunction",
    bodyBytesMax: CODE_REQUEST_BYTES_MAX,
    async handle(request, reply) {
      const body = jsonOf(request);
      const members = new Members(body);
      const { name, qualifier } = parsedName(members.text("FunctionName") ?? "");
      if (qualifier !== undefined) throw invalid("FunctionName is to be without a version or an alias.");
      noteSubject(request, { function: name });
      const { spec, members: kept } = readCreateFields(body, name);
      const archive = readArchive(codeOf(body));
      const tags = readTags(body["Tags"]) ?? {};
      const isToPublish = members.flag("Publish");
      const given = { name, archive, spec, members: { ...kept, tags }, isToPublish };
      const view = await control().functionControls.functions.create(given);
      reply.code(201);
      // It is active once all processes say that they know it.
      const shown = { ...view, isBehind: true };
      return functionShape(shown, isToPublish ? view.version : undefined, sightOf(control, request));
    },
  });
  addRoute(app, {
    method: "PUT",
    url: `${PATH}/:name/code`,
    role: "write",
    action: "UpdateFunctionCode",
    bodyBytesMax: CODE_REQUEST_BYTES_MAX,
    async handle(request) {
      const name = unqualifiedName(request);
      noteSubject(request, { function: name });
      const body = jsonOf(request);
      const members = new Members(body);
      const architectures = readArchitectures(members);
      members.check();
      const isToPublish = members.flag("Publish");
      const view = await control().functionControls.functions.updateCode(name, {
        archive: readArchive(body),
        architectures,
        isToPublish,
        isDryRun: members.flag("DryRun"),
        revisionId: members.text("RevisionId") || undefined,
      });
      return functionShape(view, isToPublish ? view.version : undefined, sightOf(control, request));
    },
  });
  addRoute(app, {
    method: "PUT",
    url: `${PATH}/:name/configuration`,
    role: "write",
    action: "UpdateFunctionConfiguration",
    async handle(request) {
      const name = unqualifiedName(request);
      noteSubject(request, { function: name });
      const body = jsonOf(request);
      const fields = readUpdateFields(body, name);
      const revisionId = new Members(body).text("RevisionId") || undefined;
      const view = await control().functionControls.functions.updateConfiguration(name, fields, revisionId);
      return functionShape(view, undefined, sightOf(control, request));
    },
  });
  addRoute(app, {
    method: "DELETE",
    url: `${PATH}/:name`,
    role: "write",
    action: "DeleteFunction",
    async handle(request, reply) {
      const { name, qualifier } = requestedName(request);
      noteSubject(request, { function: name });
      await control().functionControls.functions.remove(name, qualifier);
      return reply.code(204).send();
    },
  });
}

function codeOf(body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const code = body["Code"];
  if (typeof code === "object" && code !== null && !Array.isArray(code)) return { ...code };
  return {};
}

function sightOf(control: () => ControlPlane, request: Parameters<typeof mayInspect>[0]) {
  return { place: control().place, mayInspect: mayInspect(request) };
}
