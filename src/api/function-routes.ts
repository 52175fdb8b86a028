import type { FastifyInstance, FastifyRequest } from "fastify";
import { ControlFault, validationFault } from "../control/control-fault.ts";
import type { ControlPlane } from "../control/control-plane.ts";
import { noFunction } from "../control/functions/function-faults.ts";
import { LATEST } from "../control/functions/function-view.ts";
import { functionArn } from "../manifests/function-name.ts";
import type { FunctionResource } from "../manifests/resources.ts";
import { withoutTexts } from "../model/function-error.ts";
import type { Place } from "../model/place.ts";
import { requestedName } from "./functions/function-name.ts";
import { functionShape } from "./functions/function-shape.ts";
import { mayInspect, noteContentView } from "./guard.ts";
import { pageOf } from "./mapping-routes.ts";
import { addRoute, queryOf } from "./route.ts";

const PATH = "/2015-03-31/functions";

/** A function that this process knows and the version that a call means. */
export interface NamedFunction {
  readonly fn: FunctionResource;
  readonly qualifier: string | undefined;
  /** As qualified as the caller named it. */
  readonly arn: string;
  /** `undefined` for a weighted alias: it is drawn for each invocation. */
  readonly version: string | undefined;
}

/** What tools read of functions. */
export function addFunctionRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  const sightOf = (request: FastifyRequest) => ({ place: control().place, mayInspect: mayInspect(request) });
  addRoute(app, {
    method: "GET",
    url: PATH,
    role: "read",
    async handle(request) {
      const isAll = wantsAllVersions(request);
      const views = await control().functionControls.functions.list(isAll);
      const page = pageOf(request, views, ({ name, version }) => `${name}:${version.padStart(DIGITS, "0")}`);
      const sight = sightOf(request);
      const shapes = page.items.map((view) => functionShape(view, isAll ? view.version : undefined, sight));
      return { ...page.next, Functions: shapes };
    },
  });
  addRoute(app, {
    method: "GET",
    url: `${PATH}/:name`,
    role: "read",
    async handle(request) {
      const { name, qualifier } = requestedName(request);
      const view = await control().functionControls.functions.get(name, qualifier);
      const { isReserved, concurrency } = view.resource;
      const { tags } = view.members;
      return {
        Configuration: functionShape(view, qualifier, sightOf(request)),
        Code: { RepositoryType: "millrace" },
        ...(Object.keys(tags).length === 0 ? {} : { Tags: tags }),
        ...(isReserved ? { Concurrency: { ReservedConcurrentExecutions: concurrency } } : {}),
      };
    },
  });
  addRoute(app, {
    method: "GET",
    url: `${PATH}/:name/configuration`,
    role: "read",
    async handle(request) {
      const { name, qualifier } = requestedName(request);
      const view = await control().functionControls.functions.get(name, qualifier);
      return functionShape(view, qualifier, sightOf(request));
    },
  });
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/functions/:name/errors",
    role: "read",
    async handle(request) {
      const { name } = (await functionOf(request, control())).fn;
      const errors = control().errorsOf(name);
      if (!mayInspect(request)) return withoutTexts(errors);
      const ids = errors.errors.map(({ id }) => id);
      if (ids.length > 0) noteContentView(request, "ShowErrors", { function: name, errors: ids.join() });
      return errors;
    },
  });
}

/** A version's number has its place in the order of a list by so many. */
const DIGITS = 12;

/**
 * The function that is called, as this process knows it. One that it does not know may have been made by another: it
 * looks once before it says so.
 * @throws ControlFault ResourceNotFoundException; ValidationException for what cannot be the name of any function
 */
export async function functionOf(request: FastifyRequest, control: ControlPlane): Promise<NamedFunction> {
  const { name, qualifier } = requestedName(request);
  const known = knownFunction(control, name, qualifier);
  if (known !== undefined) return known;
  await control.look();
  const found = knownFunction(control, name, qualifier);
  if (found !== undefined) return found;
  throw noFunction(name, qualifier, control.place);
}

function knownFunction(
  { functions, place }: ControlPlane,
  name: string,
  qualifier: string | undefined,
): NamedFunction | undefined {
  const fn = functions.find((each) => each.name === name);
  const found = fn && named(fn, qualifier, place);
  const isThere = found?.version !== undefined || fn?.aliases.has(qualifier ?? "") === true;
  return isThere ? found : undefined;
}

/** AWS names `$LATEST` where nothing was named. */
export function functionNotFound({ arn, qualifier }: Pick<NamedFunction, "arn" | "qualifier">): ControlFault {
  const name = qualifier === undefined ? `${arn}:${LATEST}` : arn;
  return new ControlFault("ResourceNotFoundException", `Function not found: ${name}`);
}

function named(fn: FunctionResource, qualifier: string | undefined, place: Place): NamedFunction {
  const arn = functionArn({ name: fn.name, qualifier }, place);
  return { fn, qualifier, arn, version: versionOf(fn, qualifier) };
}

function versionOf(
  { versions, aliases, target }: FunctionResource,
  qualifier: string | undefined,
): string | undefined {
  if (qualifier === undefined || qualifier === LATEST) return LATEST;
  if (versions.has(qualifier)) return qualifier;
  const alias = aliases.get(qualifier);
  if (alias !== undefined) return alias.weights.size === 0 ? alias.version : undefined;
  // Without versions and aliases a qualifier is only shown.
  return versions.size + aliases.size === 0 && target.kind !== "runtime" ? LATEST : undefined;
}

function wantsAllVersions(request: FastifyRequest): boolean {
  const wanted = queryOf(request, "FunctionVersion");
  if (wanted === undefined || wanted === "ALL") return wanted === "ALL";
  const constraint = "Member must satisfy enum value set: [ALL]";
  const shown = wanted.slice(0, SHOWN_CHARS_MAX);
  throw validationFault([
    `Value '${shown}' at 'functionVersion' failed to satisfy constraint: ${constraint}`,
  ]);
}

const SHOWN_CHARS_MAX = 140;
