import type { FastifyInstance, FastifyRequest } from "fastify";
import { ControlFault, validationFault } from "../control/control-fault.ts";
import type { ControlPlane } from "../control/control-plane.ts";
import { functionArn, parseFunctionName } from "../manifests/function-name.ts";
import type { FunctionResource } from "../manifests/resources.ts";
import { withoutTexts } from "../model/function-error.ts";
import { cloudOf, type Place } from "../model/place.ts";
import { mayInspect, noteContentView } from "./guard.ts";
import { pageOf } from "./mapping-routes.ts";
import { addRoute, paramOf, queryOf } from "./route.ts";

const PATH = "/2015-03-31/functions";

/** A function of a manifest and the version that a call means. */
export interface NamedFunction {
  readonly fn: FunctionResource;
  readonly qualifier: string | undefined;
  /** As qualified as the caller named it. */
  readonly arn: string;
  /** `undefined` for a weighted alias: it is drawn for each invocation. */
  readonly version: string | undefined;
}

/** What tools read of functions before they make mappings. Functions are made in manifests only. */
export function addFunctionRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "GET",
    url: PATH,
    role: "read",
    async handle(request) {
      const { place } = control();
      const functions = control().functions.toSorted((a, b) => (a.name < b.name ? -1 : 1));
      const page = pageOf(request, functions, ({ name }) => name);
      const shapes = page.items.map((fn) => configuration(named(fn, undefined, place), place));
      return { ...page.next, Functions: shapes };
    },
  });
  addRoute(app, {
    method: "GET",
    url: `${PATH}/:name`,
    role: "read",
    async handle(request) {
      const found = functionOf(request, control());
      return {
        Configuration: configuration(found, control().place),
        Code: { RepositoryType: "millrace" },
        ...(found.fn.isReserved
          ? { Concurrency: { ReservedConcurrentExecutions: found.fn.concurrency } }
          : {}),
      };
    },
  });
  addRoute(app, {
    method: "GET",
    url: `${PATH}/:name/configuration`,
    role: "read",
    handle: async (request) => configuration(functionOf(request, control()), control().place),
  });
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/functions/:name/errors",
    role: "read",
    async handle(request) {
      const { name } = functionOf(request, control()).fn;
      const errors = control().errorsOf(name);
      if (!mayInspect(request)) return withoutTexts(errors);
      const ids = errors.errors.map(({ id }) => id);
      if (ids.length > 0) noteContentView(request, "ShowErrors", { function: name, errors: ids.join() });
      return errors;
    },
  });
}

/** @throws ControlFault ResourceNotFoundException; ValidationException for what cannot be the name of any function */
export function functionOf(request: FastifyRequest, { functions, place }: ControlPlane): NamedFunction {
  const text = paramOf(request, "name");
  const reference = parseFunctionName(text);
  if (reference === undefined) throw malformed("functionName", text, NAME_PATTERN);
  const qualifier = queryOf(request, "Qualifier") ?? reference.qualifier;
  if (qualifier !== undefined && !QUALIFIER.test(qualifier))
    throw malformed("qualifier", qualifier, QUALIFIER_PATTERN);
  const fn = functions.find(({ name }) => name === reference.name);
  const found = fn && named(fn, qualifier, place);
  if (found !== undefined && (found.version !== undefined || found.fn.aliases.has(qualifier ?? "")))
    return found;
  throw functionNotFound({ arn: functionArn({ ...reference, qualifier }, place), qualifier });
}

/** AWS names `$LATEST` where nothing was named. */
export function functionNotFound({ arn, qualifier }: Pick<NamedFunction, "arn" | "qualifier">): ControlFault {
  const named = qualifier === undefined ? `${arn}:$LATEST` : arn;
  return new ControlFault("ResourceNotFoundException", `Function not found: ${named}`);
}

/** AWS's patterns, as its texts show them. */
const NAME_PATTERN =
  "(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?";
const QUALIFIER_PATTERN = "(|[a-zA-Z0-9$_-]+)";
const QUALIFIER = /^[A-Za-z0-9$_-]{1,128}$/;
const SHOWN_CHARS_MAX = 140;

function malformed(field: string, text: string, pattern: string): ControlFault {
  const constraint = `Member must satisfy regular expression pattern: ${pattern}`;
  const shown = text.slice(0, SHOWN_CHARS_MAX);
  return validationFault([`Value '${shown}' at '${field}' failed to satisfy constraint: ${constraint}`]);
}

function named(fn: FunctionResource, qualifier: string | undefined, place: Place): NamedFunction {
  const arn = functionArn({ name: fn.name, qualifier }, place);
  return { fn, qualifier, arn, version: versionOf(fn, qualifier) };
}

function versionOf(
  { versions, aliases }: FunctionResource,
  qualifier: string | undefined,
): string | undefined {
  if (qualifier === undefined || qualifier === "$LATEST") return "$LATEST";
  if (versions.has(qualifier)) return qualifier;
  const alias = aliases.get(qualifier);
  if (alias !== undefined) return alias.weights.size === 0 ? alias.version : undefined;
  // Without versions and aliases a qualifier is only shown.
  return versions.size + aliases.size === 0 ? "$LATEST" : undefined;
}

/** A FunctionConfiguration, with the members that AWS's tools rely on. Where a function runs is not said. */
function configuration(
  { fn, arn, version }: NamedFunction,
  { region, account }: Place,
): Record<string, unknown> {
  const { target } = fn;
  return {
    FunctionName: fn.name,
    FunctionArn: arn,
    Role: `arn:${cloudOf(region)}:iam::${account}:role/millrace`,
    Handler: target.kind === "module" ? target.exportName : target.kind,
    Runtime: target.kind === "module" ? "nodejs24.x" : "provided.al2023",
    CodeSize: 0,
    CodeSha256: "",
    Description: "A function of a millrace manifest.",
    Timeout: fn.timeoutMs / 1000,
    MemorySize: target.kind === "module" ? target.memoryMb : 128,
    LastModified: "1970-01-01T00:00:00.000+0000",
    Version: version ?? "$LATEST",
    TracingConfig: { Mode: "PassThrough" },
    State: "Active",
    LastUpdateStatus: "Successful",
    PackageType: "Zip",
    Architectures: ["x86_64"],
    EphemeralStorage: { Size: 512 },
  };
}
