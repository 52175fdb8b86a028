import type { FastifyInstance, FastifyRequest } from "fastify";
import { ControlFault, validationFault } from "../control/control-fault.ts";
import type { ControlPlane } from "../control/control-plane.ts";
import { parseFunctionName } from "../manifests/function-name.ts";
import { noteSubject } from "./guard.ts";
import { checkTagCount, readTags } from "./mapping-members.ts";
import { mappingArn } from "./mapping-shape.ts";
import { addRoute, jsonOf, paramOf, queryAll } from "./route.ts";

const URL = "/2017-03-31/tags/:resource";

/** Tags of mappings and functions, by their ARNs. */
export function addTagRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "GET",
    url: URL,
    role: "read",
    async handle(request) {
      const arn = paramOf(request, "resource");
      const fn = functionIn(arn);
      if (fn !== undefined) {
        const { members } = await control()
          .functionControls.functions.get(fn, undefined)
          .catch((error: unknown) => {
            throw isNotFound(error) ? otherResource(arn) : error;
          });
        return { Tags: members.tags };
      }
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
      await changeTags(request, control(), (tags) => {
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
      if (keys.length === 0)
        throw validationFault([
          "Value null at 'tagKeys' failed to satisfy constraint: Member must not be null",
        ]);
      await changeTags(request, control(), (tags) =>
        Object.fromEntries(Object.entries(tags).filter(([key]) => !keys.includes(key))),
      );
      return reply.code(204).send();
    },
  });
}

type Tags = Readonly<Record<string, string>>;

async function changeTags(
  request: FastifyRequest,
  control: ControlPlane,
  change: (tags: Tags) => Tags,
): Promise<void> {
  const arn = paramOf(request, "resource");
  const fn = functionIn(arn);
  if (fn !== undefined) {
    noteSubject(request, { function: fn });
    return await control.functionControls.functions.changeTags(fn, change).catch((error: unknown) => {
      throw isNotFound(error) ? otherResource(arn) : error;
    });
  }
  const uuid = await uuidOf(arn, control);
  noteSubject(request, { uuid });
  return await control.mappings.changeTags(uuid, change);
}

/** Tags are of whole functions. @throws ControlFault for a version or an alias */
function functionIn(arn: string): string | undefined {
  const reference = arn.includes(":function:") ? parseFunctionName(arn) : undefined;
  if (reference?.arnPrefix === undefined || reference.qualifier === undefined) return reference?.name;
  throw new ControlFault(
    "InvalidParameterValueException",
    "Tags on function aliases and versions are not supported. Please specify a function ARN.",
  );
}

/**
 * @throws ControlFault ResourceNotFoundException for ARNs of no mapping here, ValidationException for what is no ARN
 */
async function uuidOf(arn: string, { mappings, place }: ControlPlane): Promise<string> {
  const uuid = MAPPING_ARN.exec(arn)?.[1];
  if (uuid === undefined) throw otherResource(arn);
  const view = await mappings.get(uuid.toLowerCase()).catch((error: unknown) => {
    throw isNotFound(error) ? mappingNotFound(arn) : error;
  });
  const { mapping } = view.resource;
  if (mappingArn(mapping.uuid, place) !== arn.toLowerCase()) throw mappingNotFound(arn);
  return mapping.uuid;
}

const MAPPING_ARN =
  /^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:event-source-mapping:([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$/;
const LAMBDA_ARN = /^arn:aws[a-zA-Z-]*:lambda:[a-z0-9-]+:\d{12}:[a-z-]+:[a-zA-Z0-9-_:$]+$/;
const ARN_CHARS_MAX = 256;
/** AWS's, as its text shows it. */
const ARN_PATTERN =
  "arn:(aws[a-zA-Z-]*):lambda:[a-z]{2}((-gov)|(-iso(b?)))?-[a-z]+-\\d{1}:\\d{12}:(function:[a-zA-Z0-9-_]+(:(\\$LATEST|[a-zA-Z0-9-_]+))?|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12})";

function isNotFound(error: unknown): boolean {
  return error instanceof ControlFault && error.fault === "ResourceNotFoundException";
}

function otherResource(arn: string): ControlFault {
  if (!LAMBDA_ARN.test(arn)) return malformed(arn);
  if (!arn.includes(":function:")) return unsupportedResource(arn);
  return new ControlFault("ResourceNotFoundException", `Function not found: ${arn}`);
}

function mappingNotFound(arn: string): ControlFault {
  return new ControlFault("ResourceNotFoundException", `Event source mapping not found: ${arn}`);
}

function unsupportedResource(arn: string): ControlFault {
  const message = `Unsupported resource type for tagging or invalid arn: ${arn.slice(0, ARN_CHARS_MAX)}`;
  return new ControlFault("InvalidParameterValueException", message);
}

function malformed(arn: string): ControlFault {
  const constraint = `Member must satisfy regular expression pattern: ${ARN_PATTERN}`;
  const shown = arn.slice(0, ARN_CHARS_MAX);
  return validationFault([`Value '${shown}' at 'resource' failed to satisfy constraint: ${constraint}`]);
}
