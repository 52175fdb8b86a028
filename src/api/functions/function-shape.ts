import { storedCodeOf } from "../../control/functions/function-fields.ts";
import type { AliasView, FunctionView } from "../../control/functions/function-view.ts";
import { functionArn } from "../../manifests/function-name.ts";
import type { FunctionTargetSpec } from "../../manifests/function-target-spec.ts";
import { cloudOf, type Place } from "../../model/place.ts";

/** What of a function's configuration its caller may see. */
export interface Sight {
  readonly place: Place;
  /** Variables may hold secrets. */
  readonly mayInspect: boolean;
}

/**
 * A FunctionConfiguration, with the members that AWS's tools rely on. `qualifier`: as the caller named it. Where a
 * function runs that has no code of its own is not said.
 */
export function functionShape(
  view: FunctionView,
  qualifier: string | undefined,
  { place, mayInspect }: Sight,
): Record<string, unknown> {
  const { name, version, members, spec, resource } = view;
  const target = (version === "$LATEST" ? undefined : resource.versions.get(version)) ?? resource.target;
  const { region, account } = place;
  return {
    FunctionName: name,
    FunctionArn: functionArn({ name, qualifier }, place),
    ...programShape(target),
    Role: members.role ?? `arn:${cloudOf(region)}:iam::${account}:role/millrace`,
    ...codeShape(spec),
    Description: ownText(view) ?? "A function of a millrace manifest.",
    Timeout: view.timeoutSeconds,
    LastModified: new Date(view.lastModifiedMs).toISOString().replace("Z", "+0000"),
    Version: version,
    ...environmentShape(target, mayInspect),
    ...deadLetterShape(spec),
    TracingConfig: { Mode: members.tracing },
    RevisionId: view.revisionId,
    ...stateShape(view),
    PackageType: "Zip",
    Architectures: members.architectures,
    EphemeralStorage: { Size: (target.kind === "runtime" ? target.ephemeralStorageMb : undefined) ?? 512 },
    SnapStart: { ApplyOn: "None", OptimizationStatus: "Off" },
    LoggingConfig: { LogFormat: "Text", LogGroup: `/aws/lambda/${name}` },
  };
}

function ownText({ members, spec }: FunctionView): string | undefined {
  return storedCodeOf(spec) === undefined && members.description === "" ? undefined : members.description;
}

function programShape(target: FunctionTargetSpec): Record<string, unknown> {
  switch (target.kind) {
    case "runtime": {
      const { runtime = "provided", handler = "", memoryMb } = target;
      return { Handler: handler, Runtime: runtime, MemorySize: memoryMb };
    }
    case "module":
      return { Handler: target.exportName, Runtime: "nodejs24.x", MemorySize: target.memoryMb };
    case "custom":
    case "http":
    case "lambda":
      return { Handler: target.kind, Runtime: "provided.al2023", MemorySize: 128 };
  }
}

function codeShape(spec: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const code = storedCodeOf(spec);
  if (code === undefined) return { CodeSize: 0, CodeSha256: "" };
  return { CodeSize: code.bytes, CodeSha256: Buffer.from(code.sha256, "hex").toString("base64") };
}

/** To who may not see them AWS's own shape says that they cannot be shown. */
function environmentShape(target: FunctionTargetSpec, mayInspect: boolean): Record<string, unknown> {
  if (target.kind !== "runtime" || Object.keys(target.environment).length === 0) return {};
  if (mayInspect) return { Environment: { Variables: target.environment } };
  const Message = "The environment variables are shown to callers with the role inspect.";
  return { Environment: { Error: { ErrorCode: "AccessDeniedException", Message } } };
}

function deadLetterShape({ deadLetterConfig: config }: FunctionView["spec"]): Record<string, unknown> {
  if (typeof config !== "object" || config === null || !("targetArn" in config)) return {};
  return config.targetArn === "" ? {} : { DeadLetterConfig: { TargetArn: config.targetArn } };
}

function stateShape({ isBehind, isNew, version }: FunctionView): Record<string, unknown> {
  if (!isBehind) return { State: "Active", LastUpdateStatus: "Successful" };
  if (isNew) {
    const what = version === "$LATEST" ? "function" : "version";
    return {
      State: "Pending",
      StateReason: `The ${what} is being created.`,
      StateReasonCode: "Creating",
      LastUpdateStatus: "Successful",
    };
  }
  return {
    State: "Active",
    LastUpdateStatus: "InProgress",
    LastUpdateStatusReason: "The function is being updated in all processes.",
    LastUpdateStatusReasonCode: "Updating",
  };
}

export function aliasShape(
  { name, fn, version, weights, description, revisionId }: AliasView,
  place: Place,
): Record<string, unknown> {
  const isWeighted = Object.keys(weights).length > 0;
  return {
    AliasArn: functionArn({ name: fn, qualifier: name }, place),
    Name: name,
    FunctionVersion: version,
    Description: description,
    ...(isWeighted ? { RoutingConfig: { AdditionalVersionWeights: weights } } : {}),
    RevisionId: revisionId,
  };
}
