import type { FastifyInstance } from "fastify";
import { ControlFault, notFound } from "../control/control-fault.ts";
import type { ControlPlane } from "../control/control-plane.ts";
import { parseFunctionName } from "../manifests/function-name.ts";
import { noteSubject } from "./guard.ts";
import { checkTagCount, readTags } from "./mapping-members.ts";
import { mappingArn } from "./mapping-shape.ts";
import { addRoute, jsonOf, paramOf, queryAll } from "./route.ts";

const URL = "/2017-03-31/tags/:resource";

/** Tags of mappings, by their ARNs; functions have none, and say so. */
export function addTagRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "GET",
    url: URL,
    role: "read",
    async handle(request) {
      const arn = paramOf(request, "resource");
      if (isFunction(arn, control())) return { Tags: {} };
      const view = await control().mappings.get(await uuidOf(arn, control()));
      return { Tags: view.tags };
    },
  });
  addRoute(app, {
    method: "POST",
    url: URL,
    role: "write",
    action: "TagResource",
    async handle(request, reply) {
      const added = readTags(jsonOf(request)["Tags"]) ?? {};
      const uuid = await uuidOf(paramOf(request, "resource"), control());
      noteSubject(request, { uuid });
      await control().mappings.changeTags(uuid, (tags) => {
        const all = { ...tags, ...added };
        checkTagCount(Object.keys(all).length);
        return all;
      });
      return reply.code(204).send();
    },
  });
  addRoute(app, {
    method: "DELETE",
    url: URL,
    role: "write",
    action: "UntagResource",
    async handle(request, reply) {
      const keys = queryAll(request, "tagKeys");
      const uuid = await uuidOf(paramOf(request, "resource"), control());
      noteSubject(request, { uuid });
      await control().mappings.changeTags(uuid, (tags) =>
        Object.fromEntries(Object.entries(tags).filter(([key]) => !keys.includes(key))),
      );
      return reply.code(204).send();
    },
  });
}

/** @throws ControlFault for ARNs of no mapping here. */
async function uuidOf(arn: string, { mappings }: ControlPlane): Promise<string> {
  const uuid = /^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:event-source-mapping:([0-9a-fA-F-]{36})$/.exec(
    arn,
  )?.[1];
  if (uuid === undefined) {
    const message = "The resource is to be the ARN of an event source mapping.";
    throw new ControlFault("InvalidParameterValueException", message);
  }
  const { resource } = await mappings.get(uuid.toLowerCase());
  if (mappingArn(resource.mapping.eventSourceArn, resource.mapping.uuid) !== arn.toLowerCase())
    throw notFound();
  return resource.mapping.uuid;
}

function isFunction(arn: string, { functions }: ControlPlane): boolean {
  const reference = arn.includes(":function:") ? parseFunctionName(arn) : undefined;
  return reference !== undefined && functions.some(({ name }) => name === reference.name);
}
