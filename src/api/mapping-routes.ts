import type { FastifyInstance, FastifyRequest } from "fastify";
import { notFound, validationFault } from "../control/control-fault.ts";
import type { ControlPlane } from "../control/control-plane.ts";
import { awsConstraint } from "../manifests/issue-texts.ts";
import { noteSubject } from "./guard.ts";
import { readCreateMembers, readUpdateMembers } from "./mapping-members.ts";
import { mappingShape } from "./mapping-shape.ts";
import { addRoute, jsonOf, paramOf, queryOf } from "./route.ts";

const PATH = "/2015-03-31/event-source-mappings";
const PAGE_MAX = 100;
const MAX_ITEMS_MAX = 10_000;
/** AWS's bound of some lists of what belongs to one function. */
export const MAX_ITEMS_OF_FUNCTION = 50;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Lambda's operations on event source mappings (streams §1.1). */
export function addMappingRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "POST",
    url: PATH,
    role: "write",
    action: "CreateEventSourceMapping",
    async handle(request, reply) {
      const { spec, isEnabled, tags } = readCreateMembers(jsonOf(request), control().connectors);
      const view = await control().mappings.create(withKnown(spec), isEnabled ?? true, tags ?? {});
      noteSubject(request, { uuid: view.resource.mapping.uuid });
      reply.code(202);
      return mappingShape(view, control().place);
    },
  });
  addRoute(app, {
    method: "GET",
    url: PATH,
    role: "read",
    handle: async (request) => listMappings(request, control()),
  });
  addRoute(app, {
    method: "GET",
    url: `${PATH}/:uuid`,
    role: "read",
    handle: async (request) => mappingShape(await control().mappings.get(uuidOf(request)), control().place),
  });
  addRoute(app, {
    method: "PUT",
    url: `${PATH}/:uuid`,
    role: "write",
    action: "UpdateEventSourceMapping",
    async handle(request, reply) {
      const { spec, isEnabled } = readUpdateMembers(jsonOf(request), control().connectors);
      const view = await control().mappings.update(uuidOf(request), spec, isEnabled);
      reply.code(202);
      return mappingShape(view, control().place);
    },
  });
  addRoute(app, {
    method: "DELETE",
    url: `${PATH}/:uuid`,
    role: "write",
    action: "DeleteEventSourceMapping",
    async handle(request, reply) {
      const view = await control().mappings.remove(uuidOf(request));
      reply.code(202);
      return mappingShape(view, control().place);
    },
  });
}

async function listMappings(request: FastifyRequest, control: ControlPlane): Promise<object> {
  const eventSourceArn = queryOf(request, "EventSourceArn");
  const functionName = queryOf(request, "FunctionName");
  const views = await control.mappings.list({
    ...(eventSourceArn === undefined ? {} : { eventSourceArn }),
    ...(functionName === undefined ? {} : { functionName }),
  });
  const page = pageOf(request, views, ({ resource }) => resource.mapping.uuid);
  const shapes = page.items.map((view) => mappingShape(view, control.place));
  return { ...page.next, EventSourceMappings: shapes };
}

/** A part of a list that is in the order of its names. @throws ControlFault */
export function pageOf<Item>(
  request: FastifyRequest,
  items: readonly Item[],
  nameOf: (item: Item) => string,
  maxItemsMax = MAX_ITEMS_MAX,
): { readonly items: readonly Item[]; readonly next: { readonly NextMarker?: string } } {
  const wanted = queryOf(request, "MaxItems");
  const size = Math.min(PAGE_MAX, wanted === undefined ? PAGE_MAX : maxItems(wanted, maxItemsMax));
  const marker = queryOf(request, "Marker");
  const after = marker === undefined ? "" : Buffer.from(marker, "base64url").toString();
  const rest = items.filter((item) => nameOf(item) > after);
  const page = rest.slice(0, size);
  const last = page.at(-1);
  if (rest.length <= size || last === undefined) return { items: page, next: {} };
  return { items: page, next: { NextMarker: Buffer.from(nameOf(last)).toString("base64url") } };
}

function maxItems(text: string, max: number): number {
  const value = /^-?\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= max) return value;
  const bound = value < 1 ? "greater than or equal to 1" : `less than or equal to ${max}`;
  const constraint = awsConstraint(["maxItems"], text, `Member must have value ${bound}`);
  throw validationFault([constraint.slice(constraint.indexOf("Value "))]);
}

/** What was given as removed is, in a mapping that does not exist yet, not given. */
function withKnown(spec: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined));
}

/** @throws ControlFault for what cannot be the UUID of any mapping. */
export function uuidOf(request: FastifyRequest): string {
  const uuid = paramOf(request, "uuid").toLowerCase();
  if (!UUID.test(uuid)) throw notFound();
  return uuid;
}
