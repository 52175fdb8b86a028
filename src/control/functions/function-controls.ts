import { UrlControl } from "../routes/url-control.ts";
import { AliasControl } from "./alias-control.ts";
import { FunctionControl, type FunctionControlOptions } from "./function-control.ts";
import { FunctionWriter, type FunctionWriterOptions } from "./function-writer.ts";
import { InvokeConfigControl } from "./invoke-config-control.ts";
import { PolicyControl } from "./policy-control.ts";
import { ProvisionedControl, type ReadinessOf } from "./provisioned-control.ts";
import { VersionControl } from "./version-control.ts";

/** What callers of Lambda's API do to functions, by what it is done to. */
export interface FunctionControls {
  readonly functions: FunctionControl;
  readonly versions: VersionControl;
  readonly aliases: AliasControl;
  readonly provisioned: ProvisionedControl;
  readonly urls: UrlControl;
  readonly invokeConfigs: InvokeConfigControl;
  readonly policies: PolicyControl;
}

export function createFunctionControls(
  options: FunctionWriterOptions &
    Pick<FunctionControlOptions, "isBehind" | "packages"> & { readonly readinessOf: ReadinessOf },
): FunctionControls {
  const { isBehind, packages } = options;
  const writer = new FunctionWriter(options);
  const versions = new VersionControl(writer, isBehind);
  const aliases = new AliasControl(writer);
  const provisioned = new ProvisionedControl(writer, options.readinessOf);
  const urls = new UrlControl(writer);
  const functions = new FunctionControl({ writer, versions, urls, isBehind, packages });
  const invokeConfigs = new InvokeConfigControl(writer);
  const policies = new PolicyControl(writer);
  return { functions, versions, aliases, provisioned, urls, invokeConfigs, policies };
}
