import type { GivenFields } from "../../control/functions/function-control.ts";
import { invalid } from "../../control/functions/function-faults.ts";
import { parseAsyncDestination } from "../../manifests/async-destination.ts";
import { ENVIRONMENT_BYTES_MAX, RESERVED_VARIABLES } from "../../model/reserved-variables.ts";
import { runtimeFamily } from "../../model/runtime-name.ts";
import { Members } from "./members.ts";
import { checkUnsupported } from "./unsupported-members.ts";

type Body = Readonly<Record<string, unknown>>;

const MEMORY_MB_DEFAULT = 128;
const STORAGE_MB_MIN = 512;
const STORAGE_MB_MAX = 10_240;
const MEMORY_MB_MAX = 10_240;
const TIMEOUT_SECONDS_DEFAULT = 3;
const TIMEOUT_SECONDS_MAX = 900;
const DESCRIPTION_CHARS_MAX = 256;
const ROLE = /^arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role\/?[a-zA-Z_0-9+=,.@\-_/]+$/;
const HANDLER = /^\S{1,128}$/;

/** What CreateFunction says of a function beside its code and tags. @throws ControlFault in AWS's words */
export function readCreateFields(body: Body, name: string): GivenFields {
  checkUnsupported(body, name);
  const members = new Members(body);
  const runtime = members.text("Runtime");
  const handler = members.text("Handler");
  if (runtime === undefined || (handler === undefined && runtimeFamily(runtime) !== "provided")) {
    throw invalid(
      "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
    );
  }
  const role = members.text("Role");
  if (role === undefined) members.constraint("role", null, "Member must not be null");
  const fields = readFields(members);
  return {
    spec: { memoryMb: MEMORY_MB_DEFAULT, timeoutSeconds: TIMEOUT_SECONDS_DEFAULT, ...fields.spec },
    members: fields.members,
  };
}

/** What UpdateFunctionConfiguration changes; what it leaves out stays. @throws ControlFault */
export function readUpdateFields(body: Body, name: string): GivenFields {
  checkUnsupported(body, name);
  return readFields(new Members(body));
}

function readFields(members: Members): GivenFields {
  const runtime = members.text("Runtime");
  const handler = members.text("Handler");
  if (handler !== undefined && (!HANDLER.test(handler) || handler.includes("\0")))
    members.constraint("handler", handler, "Member must satisfy regular expression pattern: [^\\s]+");
  const spec = {
    runtime,
    handler,
    memoryMb: members.whole("MemorySize", MEMORY_MB_DEFAULT, MEMORY_MB_MAX),
    timeoutSeconds: members.whole("Timeout", 1, TIMEOUT_SECONDS_MAX),
    ephemeralStorageMb: members.structure("EphemeralStorage")?.whole("Size", STORAGE_MB_MIN, STORAGE_MB_MAX),
    environment: readEnvironment(members),
    deadLetterConfig: readDeadLetter(members),
  };
  const kept = {
    description: members.text("Description", DESCRIPTION_CHARS_MAX),
    role: readRole(members),
    architectures: readArchitectures(members),
    tracing: members.structure("TracingConfig")?.oneOf("Mode", ["Active", "PassThrough"]),
  };
  members.check();
  if (runtime !== undefined) checkRuntime(runtime);
  return { spec: given(spec), members: given(kept) };
}

export function readArchitectures(members: Members): readonly string[] | undefined {
  const values = members.texts("Architectures");
  const known = ["x86_64", "arm64"];
  for (const value of values ?? []) {
    if (!known.includes(value))
      members.constraint(
        "architectures",
        `[${value}]`,
        `Member must satisfy constraint: [Member must satisfy enum value set: [${known.join(", ")}], Member must not be null]`,
      );
  }
  if (values !== undefined && values.length !== 1)
    members.constraint(
      "architectures",
      `[${values.join(", ")}]`,
      "Member must have length less than or equal to 1",
    );
  return values;
}

/** `{}` says nothing, an empty ARN removes it (invocation §9.2). Files are for the operator to name. */
function readDeadLetter(members: Members): { readonly targetArn: string } | undefined {
  const targetArn = members.structure("DeadLetterConfig")?.text("TargetArn");
  if (targetArn === undefined || targetArn === "") return targetArn === "" ? { targetArn } : undefined;
  if (!/^arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*$/.test(targetArn)) {
    const pattern = "(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()";
    const text = `Member must satisfy regular expression pattern: ${pattern}`;
    members.constraint("deadLetterConfig.targetArn", targetArn, text);
    return undefined;
  }
  const read = parseAsyncDestination(targetArn, "/");
  if (read.kind === "stored" && read.address.kind !== "s3") return { targetArn };
  throw invalid(`The provided dead letter target ARN ${targetArn.slice(0, 350)} is invalid.`);
}

function readRole(members: Members): string | undefined {
  const role = members.text("Role");
  if (role === undefined || ROLE.test(role)) return role;
  const pattern = "arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+";
  members.constraint("role", role, `Member must satisfy regular expression pattern: ${pattern}`);
  return undefined;
}

function checkRuntime(runtime: string): void {
  if (runtimeFamily(runtime) !== undefined) return;
  throw invalid(
    `Value ${runtime.slice(0, 64)} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [nodejs24.x, nodejs22.x, python3.14, python3.13, provided.al2023, provided.al2] or be a valid ARN. Of these runtimes millrace has clients. For others, as of Java or Ruby, declare the function in a manifest with runtime and command, or give a bootstrap and provided.al2023.`,
  );
}

const VARIABLE = /^[a-zA-Z][a-zA-Z0-9_]*$/;
/** Regions and credentials, beside what the host sets itself (invocation §6). */
const PLACES: readonly string[] = [
  "AWS_REGION",
  "AWS_DEFAULT_REGION",
  "AWS_ACCESS_KEY",
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_KEY",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
];

/** Values are secrets: no message has any. */
function readEnvironment(members: Members): Readonly<Record<string, string>> | undefined {
  const structure = members.structure("Environment");
  if (structure === undefined) return undefined;
  const variables = structure.map("Variables") ?? {};
  const names = Object.keys(variables);
  const odd = names.filter((name) => !VARIABLE.test(name));
  if (odd.length > 0) {
    const text =
      "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+, Member must not be null]";
    members.constraint("environment.variables", `{${odd.join(", ").slice(0, 140)}}`, text);
  }
  const reserved = names.filter((name) => PLACES.includes(name) || RESERVED_VARIABLES.includes(name));
  if (reserved.length > 0) {
    throw invalid(
      `Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(", ")}`,
    );
  }
  const broken = names.filter((name) => variables[name]?.includes("\0"));
  if (broken.length > 0) {
    throw invalid(
      `Lambda was unable to configure your environment variables because values have a zero byte, which no process can be given. Variables: ${broken.join(", ")}`,
    );
  }
  const bytes = names.reduce(
    (sum, name) => sum + Buffer.byteLength(name) + Buffer.byteLength(variables[name] ?? ""),
    0,
  );
  if (bytes > ENVIRONMENT_BYTES_MAX) {
    throw invalid(
      `Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. They have ${bytes} bytes.`,
    );
  }
  return variables;
}

function given<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: NonNullable<Fields[Name]> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof Fields]?: NonNullable<Fields[Name]> };
}
