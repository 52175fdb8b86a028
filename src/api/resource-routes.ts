import type { FastifyInstance, FastifyRequest } from "fastify";
import { reservedBy } from "../control/account-concurrency.ts";
import { ControlFault } from "../control/control-fault.ts";
import type { ControlPlane } from "../control/control-plane.ts";
import { storedCodeOf } from "../control/functions/function-fields.ts";
import type { Owner } from "../resources/owner.ts";
import { functionOf, type NamedFunction } from "./function-routes.ts";
import { addRoute, jsonOf } from "./route.ts";

/** Rows of functions and mappings: whose they are, where they drifted, and another owner for them. */
export function addResourceRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/resources",
    role: "read",
    handle: async () => ({ resources: await control().resources.list() }),
  });
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/export",
    // Variables of functions may hold secrets.
    role: "inspect",
    handle: async () => ({ ...(await control().resources.export()) }),
  });
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/drift",
    role: "read",
    handle: async () => ({ drift: await control().resources.drift() }),
  });
  addRoute(app, {
    method: "POST",
    url: "/millrace/v1/prune",
    role: "write",
    action: "Prune",
    async handle(request) {
      const body = jsonOf(request);
      const [kind, name] = [textOf(body, "kind"), textOf(body, "name")];
      const only = { ...(kind === undefined ? {} : { kind }), ...(name === undefined ? {} : { name }) };
      return { pruned: await control().resources.prune(only) };
    },
  });
  addRoute(app, {
    method: "POST",
    url: "/millrace/v1/adopt",
    role: "write",
    action: "Adopt",
    async handle(request) {
      const body = jsonOf(request);
      const name = textOf(body, "name");
      if (name === undefined) throw invalid("Name the function or the mapping: name.");
      const { resources } = control();
      const [owner, kind] = [ownerOf(body), textOf(body, "kind")];
      const { adopted, changes } = await resources.adoption(name, owner, kind);
      if (body["dryRun"] === true) return { adopted, changes };
      return { adopted: await resources.adopt(name, owner, kind), changes };
    },
  });
}

/** Lambda's operations on a function's reserved concurrency. */
export function addConcurrencyRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "GET",
    url: "/2019-09-30/functions/:name/concurrency",
    role: "read",
    async handle(request) {
      const { isReserved, concurrency } = (await unqualified(request, control())).fn;
      return isReserved ? { ReservedConcurrentExecutions: concurrency } : {};
    },
  });
  addRoute(app, {
    method: "PUT",
    url: "/2017-10-31/functions/:name/concurrency",
    role: "write",
    action: "PutFunctionConcurrency",
    async handle(request) {
      const { fn } = await unqualified(request, control());
      const wanted = jsonOf(request)["ReservedConcurrentExecutions"];
      await control().resources.setConcurrency(fn.name, typeof wanted === "number" ? wanted : Number.NaN);
      return { ReservedConcurrentExecutions: wanted };
    },
  });
  addRoute(app, {
    method: "GET",
    url: "/2016-08-19/account-settings",
    role: "read",
    async handle() {
      const views = await control().functionControls.functions.list(true);
      const codes = views.map(({ spec }) => storedCodeOf(spec)?.bytes ?? 0);
      return accountSettings(
        control(),
        codes.reduce((sum, bytes) => sum + bytes, 0),
      );
    },
  });
  addRoute(app, {
    method: "DELETE",
    url: "/2017-10-31/functions/:name/concurrency",
    role: "write",
    action: "DeleteFunctionConcurrency",
    async handle(request, reply) {
      await control().resources.setConcurrency((await unqualified(request, control())).fn.name, undefined);
      return reply.code(204).send();
    },
  });
}

/** AWS's own limits of code, which is kept elsewhere. Concurrency is named where there is a bound. */
function accountSettings(
  { accountConcurrency, functions }: ControlPlane,
  codeBytes: number,
): Record<string, unknown> {
  const unreserved = accountConcurrency && Math.max(0, accountConcurrency - reservedBy(functions));
  return {
    AccountLimit: {
      TotalCodeSize: 80_530_636_800,
      CodeSizeUnzipped: 262_144_000,
      CodeSizeZipped: 52_428_800,
      ConcurrentExecutions: accountConcurrency,
      UnreservedConcurrentExecutions: unreserved,
    },
    AccountUsage: { TotalCodeSize: codeBytes, FunctionCount: functions.length },
  };
}

/** Concurrency is of all versions together. @throws ControlFault */
async function unqualified(request: FastifyRequest, control: ControlPlane): Promise<NamedFunction> {
  const named = await functionOf(request, control);
  if (named.qualifier === undefined) return named;
  throw invalid(
    "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. " +
      "Please specify either a function name or an unqualified function ARN.",
  );
}

function ownerOf(body: Readonly<Record<string, unknown>>): Owner {
  const to = textOf(body, "to");
  if (to === "api") return { kind: "api", isAdopted: true };
  if (to === "manifest") return { kind: "manifest", set: textOf(body, "set") ?? "default" };
  throw invalid("Name the owner that it is to have: api or manifest.");
}

function textOf(body: Readonly<Record<string, unknown>>, field: string): string | undefined {
  const value = body[field];
  if (value === undefined || typeof value === "string") return value;
  throw invalid(`${field} is to be a text.`);
}

function invalid(message: string): ControlFault {
  return new ControlFault("InvalidParameterValueException", message);
}
