import { MillraceError } from "../model/errors.ts";
import type { FunctionTarget } from "../ports/function-target.ts";
import type { FunctionTargetKind } from "../ports/function-target-kind.ts";

export interface CustomFunction {
  readonly by: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Opens a function of a kind that the operator brings. @throws MillraceError, also when no module brings the kind. */
export async function openCustomFunction(
  { by, settings }: CustomFunction,
  fn: { readonly name: string; readonly concurrency: number },
  kinds: readonly FunctionTargetKind[],
): Promise<FunctionTarget> {
  const brought = kinds.find(({ kind }) => kind === by);
  if (brought !== undefined) return await brought.open(settings, fn);
  throw new MillraceError(
    "ERR_MILLRACE_CONFIG",
    `No module brings function targets of the kind ${by}. Name its module in MILLRACE_CONNECTORS.`,
  );
}
