import type { FunctionTarget } from "./function-target.ts";

/** A kind of function target that the operator brings (`connectors/registry.ts`); `custom` of a Function names it. */
export interface FunctionTargetKind {
  readonly kind: string;
  /** What is wrong with the settings, as somebody wrote them; never throws. */
  check(settings: Readonly<Record<string, unknown>>): readonly TargetProblem[];
  /** Gets settings that have no problem. @throws MillraceError */
  open(
    settings: Readonly<Record<string, unknown>>,
    fn: { readonly name: string; readonly concurrency: number },
  ): Promise<FunctionTarget>;
}

export interface TargetProblem {
  /** Below `settings`. */
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly remedy: string;
}
