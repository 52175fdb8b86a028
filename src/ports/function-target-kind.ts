import type { FieldSchema } from "../model/field-schema.ts";
import type { FunctionTarget } from "./function-target.ts";

/** A kind of function target that the operator brings (`connectors/registry.ts`); `custom` of a Function names it. */
export interface FunctionTargetKind {
  readonly kind: string;
  /** What it is, in a sentence: the JSON Schema and the settings reference show it. */
  readonly description?: string;
  /** What it takes, by name, as the same show it; `check` is what holds. */
  readonly settings?: Readonly<Record<string, FieldSchema>>;
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
