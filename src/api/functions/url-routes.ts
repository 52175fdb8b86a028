import type { FastifyInstance, FastifyRequest } from "fastify";
import { validationFault } from "../../control/control-fault.ts";
import type { ControlPlane } from "../../control/control-plane.ts";
import { routeUrl } from "../../control/routes/route-url.ts";
import type { GivenUrl, UrlView } from "../../control/routes/url-control.ts";
import { noteSubject } from "../guard.ts";
import { MAX_ITEMS_OF_FUNCTION, pageOf } from "../mapping-routes.ts";
import { addRoute, jsonOf } from "../route.ts";
import { type RequestedName, requestedName } from "./function-name.ts";
import { Members } from "./members.ts";

const PATH = "/2021-10-31/functions/:name/url";

/** Lambda's operations on URLs of functions (invocation §13.1). */
export function addUrlRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  const urls = () => control().functionControls.urls;
  const shape = (view: UrlView) => urlShape(view, routeUrl(view.route, control().place, control().front));
  addRoute(app, {
    method: "POST",
    url: PATH,
    role: "write",
    action: "CreateFunctionUrlConfig",
    async handle(request, reply) {
      const { name, qualifier } = urlName(request);
      const given = givenUrl(request, true);
      const view = await urls().create(name, qualifier, given);
      reply.code(201);
      return shape(view);
    },
  });
  addRoute(app, {
    method: "PUT",
    url: PATH,
    role: "write",
    action: "UpdateFunctionUrlConfig",
    async handle(request) {
      const { name, qualifier } = urlName(request);
      return shape(await urls().update(name, qualifier, givenUrl(request, false)));
    },
  });
  addRoute(app, {
    method: "GET",
    url: PATH,
    role: "read",
    async handle(request) {
      const { name, qualifier } = urlName(request);
      return shape(await urls().get(name, qualifier));
    },
  });
  addRoute(app, {
    method: "DELETE",
    url: PATH,
    role: "write",
    action: "DeleteFunctionUrlConfig",
    async handle(request, reply) {
      const { name, qualifier } = urlName(request);
      await urls().remove(name, qualifier);
      return reply.code(204).send();
    },
  });
  addRoute(app, {
    method: "GET",
    url: `${PATH}s`,
    role: "read",
    async handle(request) {
      const views = await urls().list(requestedName(request).name);
      const page = pageOf(request, views, ({ route }) => route.name, MAX_ITEMS_OF_FUNCTION);
      return { ...page.next, FunctionUrlConfigs: page.items.map(shape) };
    },
  });
}

/** All ways of HTTP requests, also those of manifests. */
export function addRouteList(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/routes",
    role: "read",
    async handle() {
      return { routes: control().toldBeside.routes() };
    },
  });
}

/** A URL is of the function, or of an alias. @throws ControlFault */
function urlName(request: FastifyRequest): RequestedName {
  const named = requestedName(request);
  noteSubject(request, { function: named.name });
  const { qualifier } = named;
  if (qualifier === undefined || /^(?!\d+$)[0-9a-zA-Z-_]+$/.test(qualifier)) return named;
  const text = "Member must satisfy regular expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)";
  throw validationFault([`Value '${qualifier}' at 'qualifier' failed to satisfy constraint: ${text}`]);
}

function givenUrl(request: FastifyRequest, isNew: boolean): GivenUrl {
  const members = new Members(jsonOf(request));
  const authType = members.oneOf("AuthType", ["NONE", "AWS_IAM"]);
  if (isNew && authType === undefined) members.constraint("authType", null, "Member must not be null");
  const invokeMode = members.oneOf("InvokeMode", ["RESPONSE_STREAM", "BUFFERED"]);
  const cors = corsOf(members);
  members.check();
  return { authType, invokeMode, cors };
}

const ITEMS_MAX = 100;
const METHODS_MAX = 6;
const MAX_AGE_MAX = 86_400;

/** As it was given: what was left out stays so. */
function corsOf(members: Members): Readonly<Record<string, unknown>> | undefined {
  const cors = members.structure("Cors");
  if (cors === undefined) return undefined;
  const lists = Object.entries({
    allowHeaders: cors.texts("AllowHeaders"),
    allowMethods: cors.texts("AllowMethods"),
    allowOrigins: cors.texts("AllowOrigins"),
    exposeHeaders: cors.texts("ExposeHeaders"),
  });
  for (const [name, list] of lists) {
    const max = name === "allowMethods" ? METHODS_MAX : ITEMS_MAX;
    if (list === undefined || list.length <= max) continue;
    const shown = `[${list.join(", ")}]`;
    members.constraint(`cors.${name}`, shown, `Member must have length less than or equal to ${max}`);
  }
  const given = {
    ...(cors.has("AllowCredentials") ? { allowCredentials: cors.flag("AllowCredentials") } : {}),
    ...Object.fromEntries(lists),
    maxAge: cors.whole("MaxAge", 0, MAX_AGE_MAX),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function urlShape(view: UrlView, url: string): Record<string, unknown> {
  const { route, functionArn, cors, createdMs, lastModifiedMs } = view;
  return {
    FunctionUrl: url,
    FunctionArn: functionArn,
    AuthType: route.authType,
    ...(cors === undefined ? {} : { Cors: capitalized(cors) }),
    CreationTime: timeText(createdMs),
    LastModifiedTime: timeText(lastModifiedMs),
    InvokeMode: route.invokeMode,
  };
}

function capitalized(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(members).map(([name, value]) => {
    return [`${name.slice(0, 1).toUpperCase()}${name.slice(1)}`, value] as const;
  });
  return Object.fromEntries(entries);
}

/** AWS gives nanoseconds here. */
function timeText(epochMs: number): string {
  return new Date(epochMs).toISOString().replace("Z", "000000Z");
}
