import type { FastifyInstance, FastifyRequest } from "fastify";
import { ControlFault } from "../../control/control-fault.ts";
import type { ControlPlane } from "../../control/control-plane.ts";
import type { GivenInvokeConfig, InvokeConfigView } from "../../control/functions/invoke-config-control.ts";
import { parseFunctionName } from "../../manifests/function-name.ts";
import {
  EVENT_AGE_SECONDS_MAX,
  EVENT_AGE_SECONDS_MIN,
  EVENT_RETRIES_MAX,
} from "../../model/invoke-config.ts";
import { noteSubject } from "../guard.ts";
import { MAX_ITEMS_OF_FUNCTION, pageOf } from "../mapping-routes.ts";
import { addRoute, jsonOf, paramOf } from "../route.ts";
import { type RequestedName, requestedName, unqualifiedName } from "./function-name.ts";
import { Members } from "./members.ts";

const URL = "/2019-09-25/functions/:name/event-invoke-config";
const RECURSION_URL = "/2024-08-31/functions/:name/recursion-config";
const LOOPS = ["Terminate", "Allow"];

/** Lambda's operations on how asynchronous events are retried, and where their ends are told. */
export function addInvokeConfigRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  const configs = () => control().functionControls.invokeConfigs;
  for (const [method, verb] of [
    ["PUT", "put"],
    ["POST", "update"],
  ] as const) {
    addRoute(app, {
      method,
      url: URL,
      role: "write",
      action: verb === "put" ? "PutFunctionEventInvokeConfig" : "UpdateFunctionEventInvokeConfig",
      async handle(request) {
        const { name, qualifier } = reachableName(request, control());
        noteSubject(request, { function: name });
        return shape(await configs()[verb](name, readConfig(request, control()), qualifier));
      },
    });
  }
  addRoute(app, {
    method: "GET",
    url: URL,
    role: "read",
    async handle(request) {
      const { name, qualifier } = reachableName(request, control());
      return shape(await configs().get(name, qualifier));
    },
  });
  addRoute(app, {
    method: "GET",
    url: `${URL}/list`,
    role: "read",
    async handle(request) {
      const views = await configs().list(reachableName(request, control()).name);
      const page = pageOf(request, views, ({ qualifier }) => qualifier, MAX_ITEMS_OF_FUNCTION);
      return { FunctionEventInvokeConfigs: page.items.map(shape), ...page.next };
    },
  });
  addRoute(app, {
    method: "DELETE",
    url: URL,
    role: "write",
    action: "DeleteFunctionEventInvokeConfig",
    async handle(request, reply) {
      const { name, qualifier } = reachableName(request, control());
      noteSubject(request, { function: name });
      await configs().remove(name, qualifier);
      return reply.code(204).send();
    },
  });
}

/** Lambda's operations on loops of functions (invocation §9.6). */
export function addRecursionRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "GET",
    url: RECURSION_URL,
    role: "read",
    async handle(request) {
      const { resource } = await control().functionControls.functions.get(
        unqualifiedName(request),
        undefined,
      );
      return { RecursiveLoop: resource.allowsLoops === true ? "Allow" : "Terminate" };
    },
  });
  addRoute(app, {
    method: "PUT",
    url: RECURSION_URL,
    role: "write",
    action: "PutFunctionRecursionConfig",
    async handle(request) {
      const name = unqualifiedName(request);
      noteSubject(request, { function: name });
      const members = new Members(jsonOf(request));
      const loops = members.oneOf("RecursiveLoop", LOOPS);
      if (loops === undefined) members.constraint("recursiveLoop", null, "Member must not be null");
      members.check();
      const wanted = loops === "Allow" ? "Allow" : "Terminate";
      await control().functionControls.functions.setLoops(name, wanted);
      return { RecursiveLoop: wanted };
    },
  });
}

/** An ARN of elsewhere is nobody's here. @throws ControlFault */
function reachableName(request: FastifyRequest, { place }: ControlPlane): RequestedName {
  const { arnPrefix } = parseFunctionName(paramOf(request, "name")) ?? {};
  const region = arnPrefix?.split(":")[3];
  if (region !== undefined && region !== place.region) {
    const message = `Functions from '${region}' are not reachable in this region ('${place.region}')`;
    throw new ControlFault("ResourceNotFoundException", message);
  }
  return requestedName(request);
}

/** @throws ControlFault ValidationException */
function readConfig(request: FastifyRequest, { connectors }: ControlPlane): GivenInvokeConfig {
  const members = new Members(jsonOf(request));
  const maximumRetryAttempts = members.whole("MaximumRetryAttempts", 0, EVENT_RETRIES_MAX);
  const maximumEventAgeSeconds = members.whole(
    "MaximumEventAgeInSeconds",
    EVENT_AGE_SECONDS_MIN,
    EVENT_AGE_SECONDS_MAX,
  );
  const config = members.structure("DestinationConfig");
  const forms = connectors.flatMap(({ parameters }) => parameters.destination?.pattern ?? []);
  const pattern = ["$", ...new Set(forms), ARN_PATTERN].join("|");
  const routeOf = (name: string): string | undefined => {
    const route = config?.structure(name);
    const text = route?.text("Destination");
    if (text !== undefined && !new RegExp(`^(?:${pattern})$`, "s").test(text)) {
      const field = `destinationConfig.${name === "OnSuccess" ? "onSuccess" : "onFailure"}.destination`;
      members.constraint(field, text, `Member must satisfy regular expression pattern: ${pattern}`);
    }
    return text;
  };
  const routes = { onSuccess: routeOf("OnSuccess"), onFailure: routeOf("OnFailure") };
  members.check();
  const saysRoutes = config?.has("OnSuccess") === true || config?.has("OnFailure") === true;
  return { maximumRetryAttempts, maximumEventAgeSeconds, ...(saysRoutes ? { routes } : {}) };
}

/** AWS's, as its text shows it (invocation §9.2). */
const ARN_PATTERN =
  "arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1})?:(\\d{12})?:(.*)";

/** Numbers only where they were set; both routes in any case. */
function shape(view: InvokeConfigView): Record<string, unknown> {
  const { lastModifiedMs, functionArn, maximumRetryAttempts, maximumEventAgeSeconds } = view;
  const route = (uri: string | undefined) => (uri === undefined ? {} : { Destination: uri });
  return {
    LastModified: lastModifiedMs / 1000,
    FunctionArn: functionArn,
    ...(maximumRetryAttempts === undefined ? {} : { MaximumRetryAttempts: maximumRetryAttempts }),
    ...(maximumEventAgeSeconds === undefined ? {} : { MaximumEventAgeInSeconds: maximumEventAgeSeconds }),
    DestinationConfig: { OnSuccess: route(view.onSuccess), OnFailure: route(view.onFailure) },
  };
}
