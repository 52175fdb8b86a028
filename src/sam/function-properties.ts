import type { TemplateContext } from "./context.ts";
import type { TemplateValue } from "./template-value.ts";

/** What a function loses here that it has on Lambda. What only says who may do what, or is shown, is not told. */
const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  CapacityProviderConfig: "it runs in environments of this machine",
  DurableConfig: "durable functions are not built",
  FileSystemConfigs: "no file system is mounted",
  SnapStart: "it starts as any other",
  TenancyConfig: "tenants share its environments",
  VpcConfig: "it uses the network of this machine",
};

const PERMISSIONS: readonly string[] = ["Policies", "Role", "PermissionsBoundary"];

/** Properties that are read elsewhere here, or that change nothing of what runs. */
const QUIET: readonly string[] = [
  "Architectures",
  "AssumeRolePolicyDocument",
  "AutoPublishAlias",
  "AutoPublishAliasAllProperties",
  "AutoPublishCodeSha256",
  "Code",
  "CodeSigningConfigArn",
  "CodeUri",
  "DeadLetterConfig",
  "DeadLetterQueue",
  "DeploymentPreference",
  "Description",
  "Environment",
  "EphemeralStorage",
  "EventInvokeConfig",
  "Events",
  "FunctionName",
  "FunctionUrlConfig",
  "Handler",
  "InlineCode",
  "KmsKeyArn",
  "Layers",
  "LoggingConfig",
  "MemorySize",
  "PackageType",
  "PropagateTags",
  "ProvisionedConcurrencyConfig",
  "PublishToLatestPublished",
  "RecursiveLoop",
  "ReservedConcurrentExecutions",
  "RolePath",
  "Runtime",
  "RuntimeManagementConfig",
  "SourceKMSKeyArn",
  "Tags",
  "Timeout",
  "Tracing",
  "TracingConfig",
  "VersionDeletionPolicy",
  "VersionDescription",
];

/** Says which properties have no effect here, and which nobody knows. */
export function tellProperties(
  name: string,
  properties: TemplateValue | undefined,
  context: TemplateContext,
): void {
  const { findings } = context;
  if (properties?.kind !== "map") return;
  for (const [property, { key, value }] of properties.entries) {
    const why = WITHOUT_EFFECT[property];
    const isThere = why !== undefined && context.stack.isThere(value);
    if (isThere)
      findings.remark(
        key,
        `${name}.${property}`,
        `It has no effect: ${why}`,
        "Nothing is to be done unless the function needs it",
      );
    else if (PERMISSIONS.includes(property)) {
      const message = "Roles and policies are not read: functions have no credentials of AWS here";
      findings.remark(key, undefined, message, "Give credentials in the manifests to those that need them");
    } else if (why === undefined && !QUIET.includes(property)) {
      const message = `There is no property ${JSON.stringify(property.slice(0, 80))} of functions`;
      findings.remark(key, name, message, "Correct its name, or remove it");
    }
  }
}

export function tellNotBuilt({ place }: TemplateValue, field: string, { findings }: TemplateContext): void {
  findings.remark(
    place,
    field,
    "The property has no effect in this version, and is left out",
    "Remove it, or leave it for AWS",
  );
}
