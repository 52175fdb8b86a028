import type { FastifyInstance } from "fastify";
import type { ControlPlane } from "../../control/control-plane.ts";
import { invalid } from "../../control/functions/function-faults.ts";
import type { FunctionView } from "../../control/functions/function-view.ts";
import { mayInspect, noteSubject } from "../guard.ts";
import { pageOf } from "../mapping-routes.ts";
import { addRoute, jsonOf, paramOf, queryOf } from "../route.ts";
import { requestedName, unqualifiedName } from "./function-name.ts";
import { aliasShape, functionShape } from "./function-shape.ts";
import { Members } from "./members.ts";

const PATH = "/2015-03-31/functions/:name";
const NUMBER_DIGITS = 12;

/** Lambda's operations on published versions and aliases (invocation §10). */
export function addVersionRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "POST",
    url: `${PATH}/versions`,
    role: "write",
    action: "PublishVersion",
    async handle(request, reply) {
      const name = unqualifiedName(request);
      noteSubject(request, { function: name });
      const members = new Members(jsonOf(request));
      const given = {
        description: members.text("Description", DESCRIPTION_CHARS_MAX),
        codeSha256: members.text("CodeSha256") || undefined,
        revisionId: members.text("RevisionId") || undefined,
      };
      members.check();
      const view = await control().functionControls.versions.publish(name, given);
      reply.code(201);
      return functionShape(view, view.version, { place: control().place, mayInspect: mayInspect(request) });
    },
  });
  addRoute(app, {
    method: "GET",
    url: `${PATH}/versions`,
    role: "read",
    async handle(request) {
      const views = await control().functionControls.versions.list(unqualifiedName(request));
      const page = pageOf(request, views, placeInList);
      const sight = { place: control().place, mayInspect: mayInspect(request) };
      return { ...page.next, Versions: page.items.map((view) => functionShape(view, view.version, sight)) };
    },
  });
}

const DESCRIPTION_CHARS_MAX = 256;

/** Numbers in their order, behind `$LATEST`. */
function placeInList({ version }: FunctionView): string {
  return version === "$LATEST" ? "$" : version.padStart(NUMBER_DIGITS, "0");
}

export function addAliasRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "POST",
    url: `${PATH}/aliases`,
    role: "write",
    action: "CreateAlias",
    async handle(request, reply) {
      const fn = unqualifiedName(request);
      noteSubject(request, { function: fn });
      const members = new Members(jsonOf(request));
      const name = members.text("Name") ?? "";
      checkAliasName(members, name);
      const version = members.text("FunctionVersion");
      if (version === undefined) members.constraint("functionVersion", null, "Member must not be null");
      const given = aliasOf(members);
      members.check();
      const view = await control().functionControls.aliases.create(fn, name, {
        ...given,
        version: version ?? "",
      });
      reply.code(201);
      return aliasShape(view, control().place);
    },
  });
  addRoute(app, {
    method: "GET",
    url: `${PATH}/aliases`,
    role: "read",
    async handle(request) {
      const version = queryOf(request, "FunctionVersion");
      const views = await control().functionControls.aliases.list(requestedName(request).name, version);
      const page = pageOf(request, views, ({ name }) => name);
      return { ...page.next, Aliases: page.items.map((view) => aliasShape(view, control().place)) };
    },
  });
  addRoute(app, {
    method: "GET",
    url: `${PATH}/aliases/:alias`,
    role: "read",
    async handle(request) {
      const { name } = requestedName(request);
      return aliasShape(
        await control().functionControls.aliases.get(name, paramOf(request, "alias")),
        control().place,
      );
    },
  });
  addRoute(app, {
    method: "PUT",
    url: `${PATH}/aliases/:alias`,
    role: "write",
    action: "UpdateAlias",
    async handle(request) {
      const fn = unqualifiedName(request);
      noteSubject(request, { function: fn });
      const members = new Members(jsonOf(request));
      const given = { ...aliasOf(members), version: members.text("FunctionVersion") };
      members.check();
      const revisionId = members.text("RevisionId") || undefined;
      const view = await control().functionControls.aliases.update(
        fn,
        paramOf(request, "alias"),
        given,
        revisionId,
      );
      return aliasShape(view, control().place);
    },
  });
  addRoute(app, {
    method: "DELETE",
    url: `${PATH}/aliases/:alias`,
    role: "write",
    action: "DeleteAlias",
    async handle(request, reply) {
      const fn = unqualifiedName(request);
      noteSubject(request, { function: fn });
      await control().functionControls.aliases.remove(fn, paramOf(request, "alias"));
      return reply.code(204).send();
    },
  });
}

const ALIAS = /^(?!^[0-9]+$)[a-zA-Z0-9-_]{1,128}$/;

function checkAliasName(members: Members, name: string): void {
  if (ALIAS.test(name)) return;
  const text = "Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)";
  members.constraint("name", name, text);
}

function aliasOf(members: Members) {
  const routing = members.structure("RoutingConfig");
  const weights = routing && (routing.numbers("AdditionalVersionWeights") ?? {});
  const isOut = Object.values(weights ?? {}).some((weight) => weight < 0 || weight > 1);
  if (isOut) {
    const shown = Object.entries(weights ?? {}).map(([version, weight]) => `${version}=${decimal(weight)}`);
    members.constraint(
      "routingConfig.additionalVersionWeights",
      `{${shown.join(", ")}}`,
      "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]",
    );
  }
  for (const version of Object.keys(weights ?? {})) {
    if (!/^(\$LATEST|[0-9]{1,10})$/.test(version))
      throw invalid(
        `AdditionalVersionWeights names ${JSON.stringify(version.slice(0, 80))}, which is no version.`,
      );
  }
  return { weights, description: members.text("Description", DESCRIPTION_CHARS_MAX) };
}

/** As AWS's texts write it. */
function decimal(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
