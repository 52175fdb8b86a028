import { ControlFault } from "../control/control-fault.ts";
import type { GivenSpec } from "../control/mapping-control.ts";
import { schemaAt } from "../manifests/issue-texts.ts";
import { awsMember, fieldOf } from "../manifests/member-names.ts";
import { PIPE_FIELD_NAMES } from "../manifests/pipe-schema.ts";
import { manifestSchemas } from "../manifests/schema.ts";
import { AWS_PARAMETERS_UNSUPPORTED } from "../manifests/unsupported-parameters.ts";
import type { FieldSchema } from "../model/field-schema.ts";
import type { Connector } from "../ports/connector.ts";

export interface MappingMembers {
  /** Fields of a manifest's `spec`; `undefined` for what the caller empties. */
  readonly spec: GivenSpec;
  readonly isEnabled: boolean | undefined;
  readonly tags: Readonly<Record<string, string>> | undefined;
}

/** Fields of a `spec` that AWS does not have, or that are members of their own here. */
const NOT_AWS: readonly string[] = [
  "endpoints",
  "uuid",
  "strictAwsFifo",
  "tenant",
  "enabled",
  "tags",
  ...PIPE_FIELD_NAMES,
];
/** Those of them that are refused rather than left out: who gives them counts on them. */
const BEYOND_AWS: readonly string[] = ["tenant", ...PIPE_FIELD_NAMES];
/** Members of Create that Update leaves as they are (streams §1.3). */
const IMMUTABLE: readonly string[] = [
  "eventSourceArn",
  "startingPosition",
  "startingPositionTimestamp",
  "queues",
];

/** @throws ControlFault for members of a type that has no place there. What is not known is left out, as AWS does. */
export function readCreateMembers(
  body: Readonly<Record<string, unknown>>,
  connectors: readonly Connector[],
): MappingMembers {
  return {
    spec: specOf(body, connectors, []),
    isEnabled: flagOf(body["Enabled"]),
    tags: readTags(body["Tags"]),
  };
}

/** @throws as `readCreateMembers`. Immutable members are left out too. */
export function readUpdateMembers(
  body: Readonly<Record<string, unknown>>,
  connectors: readonly Connector[],
): MappingMembers {
  checkRoute(body["DestinationConfig"]);
  const immutable = connectors.flatMap(({ parameters }) => parameters.immutable ?? []);
  return {
    spec: specOf(body, connectors, [...IMMUTABLE, ...immutable]),
    isEnabled: flagOf(body["Enabled"]),
    tags: undefined,
  };
}

/** AWS answers `{"OnFailure": {}}` where nothing is set, and refuses the same in an update: an empty text clears it. */
function checkRoute(config: unknown): void {
  if (typeof config !== "object" || config === null || !("OnFailure" in config)) return;
  const { OnFailure: route } = config;
  if (typeof route !== "object" || route === null || "Destination" in route) return;
  const message = "The Destination field is required for an OnFailure configuration.";
  throw new ControlFault("InvalidParameterValueException", message);
}

const TAGS_MAX = 50;
const TAG_KEY_CHARS_MAX = 128;
const TAG_VALUE_CHARS_MAX = 256;

/** @throws ControlFault */
export function readTags(value: unknown): Readonly<Record<string, string>> | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object" || Array.isArray(value)) throw wrongType("tags");
  const tags = Object.entries(value).map(([key, text]) => {
    if (typeof text !== "string") throw wrongType("tags");
    checkTag(key, text);
    return [key, text] as const;
  });
  checkTagCount(tags.length);
  return Object.fromEntries(tags);
}

/** @throws ControlFault */
export function checkTagCount(count: number): void {
  if (count <= TAGS_MAX) return;
  throw new ControlFault(
    "InvalidParameterValueException",
    `Tags must not have more than ${TAGS_MAX} entries.`,
  );
}

function checkTag(key: string, value: string): void {
  const isKey = key.length > 0 && key.length <= TAG_KEY_CHARS_MAX && !key.startsWith("aws:");
  if (isKey && value.length <= TAG_VALUE_CHARS_MAX) return;
  const message = `Tag keys have 1 to ${TAG_KEY_CHARS_MAX} characters and do not begin with aws:, tag values have at most ${TAG_VALUE_CHARS_MAX}.`;
  throw new ControlFault("InvalidParameterValueException", message);
}

function specOf(
  body: Readonly<Record<string, unknown>>,
  connectors: readonly Connector[],
  leftOut: readonly string[],
): GivenSpec {
  const node = schemaAt(manifestSchemas(connectors).json("EventSourceMapping"), ["spec"]);
  const keptEmpty = connectors.flatMap(({ parameters }) => parameters.keptEmpty ?? []);
  const known = Object.keys(node?.properties ?? {}).filter((name) => !NOT_AWS.includes(name));
  const entries = Object.entries(body).flatMap(([member, value]): [string, unknown][] => {
    if (value === null) return [];
    const name = fieldOf(member, known);
    if (name === undefined) {
      checkSupported(member, value);
      return [];
    }
    if (leftOut.includes(name)) return [];
    const isRemoved = isEmpty(value) && !keptEmpty.includes(name);
    return [[name, isRemoved ? undefined : converted(value, node?.properties?.[name], member)]];
  });
  const spec = Object.fromEntries(entries);
  checkDestination(spec["destinationConfig"]);
  checkSecrets(spec, node, "");
  return spec;
}

/**
 * With the members that the schema names, by its names; `onSuccess` stays, since AWS has a text of its own for it.
 * `place` is what the caller calls the value. What is said inside of a member and has no effect here is refused, at
 * every depth.
 */
function converted(value: unknown, node: FieldSchema | undefined, place: string): unknown {
  if (Array.isArray(value)) return value.map((member) => converted(member, node?.items, place));
  if (typeof value !== "object" || value === null || node?.properties === undefined) return value;
  const known = [...Object.keys(node.properties), "onSuccess"];
  const entries = Object.entries(value).flatMap(([member, inner]): [string, unknown][] => {
    const name = fieldOf(member, known);
    if (name === undefined) {
      if (!isNothing(inner)) throw unsupported(`${place}.${member.slice(0, MEMBER_CHARS_MAX)}`);
      return [];
    }
    if (inner === null || (name === "onSuccess" && isEmpty(inner))) return [];
    return [[name, converted(inner, node.properties?.[name], `${place}.${member}`)]];
  });
  return Object.fromEntries(entries);
}

const MEMBER_CHARS_MAX = 80;

/** Nothing stands in it: AWS takes that for leaving the member out, or in an update for removing it. */
function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value !== "object") return false;
  return value === null || Object.values(value).every(isEmpty);
}

/** As `isEmpty`; an empty text too, by which AWS clears (`KMSKeyArn`). */
function isNothing(value: unknown): boolean {
  return value === "" || isEmpty(value);
}

/** A member that AWS knows and that has no effect here must not be taken in silence. */
function checkSupported(member: string, value: unknown): void {
  if (fieldOf(member, BEYOND_AWS) !== undefined && !isNothing(value)) throw notOfMappings(member);
  if (fieldOf(member, [...AWS_PARAMETERS_UNSUPPORTED.keys()]) === undefined || isNothing(value)) return;
  throw unsupported(member);
}

/** AWS has the enrichment and templates of pipes, whose targets get another form of events. */
function notOfMappings(member: string): ControlFault {
  const message = `${member} is no parameter of an event source mapping on AWS: give it in a manifest.`;
  return new ControlFault("InvalidParameterValueException", message);
}

function unsupported(member: string): ControlFault {
  const message = `Unsupported ${member} parameter for given event source mapping type.`;
  return new ControlFault("InvalidParameterValueException", message);
}

/** Places on the operator's disk are the operator's to name, in manifests. */
function checkDestination(config: unknown): void {
  if (!JSON.stringify(config ?? null).includes('"destination":"file:')) return;
  const message = "A failure destination is the ARN of an SQS queue, an SNS topic or an S3 bucket.";
  throw new ControlFault("InvalidParameterValueException", message);
}

/**
 * Files and variables of this process are the operator's to name, in manifests: a caller could have them sent to a
 * server of its own. What the operator lists under ARNs is meant for callers.
 */
function checkSecrets(value: unknown, node: FieldSchema | undefined, place: string): void {
  if (Array.isArray(value)) {
    for (const member of value) checkSecrets(member, node?.items, place);
  } else if (typeof value === "object" && value !== null) {
    const { additionalProperties: others } = node ?? {};
    const inMap = typeof others === "object" ? others : undefined;
    for (const [name, member] of Object.entries(value))
      checkSecrets(member, node?.properties?.[name] ?? inMap, name);
  } else if (node?.["x-millrace-secret"] === true && /^(?:file|env):/.test(String(value))) {
    const message = `${awsMember(place)} is the ARN of a secret; only manifests may name a file or a variable.`;
    throw new ControlFault("InvalidParameterValueException", message);
  }
}

function flagOf(value: unknown): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "boolean") return value;
  throw wrongType("enabled");
}

function wrongType(field: string): ControlFault {
  return new ControlFault("SerializationException", `The value can not be converted to the type of ${field}`);
}
