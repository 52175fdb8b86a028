import { AliasControl } from "./alias-control.ts";
import { FunctionControl, type FunctionControlOptions } from "./function-control.ts";
import { FunctionWriter, type FunctionWriterOptions } from "./function-writer.ts";
import { VersionControl } from "./version-control.ts";

/** What callers of Lambda's API do to functions, by what it is done to. */
export interface FunctionControls {
  readonly functions: FunctionControl;
  readonly versions: VersionControl;
  readonly aliases: AliasControl;
}

export function createFunctionControls(
  options: FunctionWriterOptions & Pick<FunctionControlOptions, "isBehind" | "packages">,
): FunctionControls {
  const { isBehind, packages } = options;
  const writer = new FunctionWriter(options);
  const versions = new VersionControl(writer, isBehind);
  const aliases = new AliasControl(writer);
  return { functions: new FunctionControl({ writer, versions, isBehind, packages }), versions, aliases };
}
