import type { FunctionResource } from "../../manifests/resources.ts";
import { type FunctionErrors, withoutTexts } from "../../model/function-error.ts";
import { eventLines, reasonLines, type ToldEvents } from "../beside/told-events.ts";
import { errorLines } from "../error-text.ts";
import type { MappingView } from "../mapping-view.ts";
import type { WholeView } from "../whole-view.ts";
import { environmentLines, type ToldEnvironments, toldEnvironments } from "./told-environments.ts";

/** How a function stands: its environments everywhere, why it cannot start, and how its direct calls failed here. */
export interface ExplainedFunction {
  readonly function: string;
  readonly environments: ToldEnvironments | undefined;
  /** Why a version of it could not be opened, as far as this process tried. */
  readonly problem: string | undefined;
  readonly mappings: readonly string[];
  readonly errors: FunctionErrors;
  /** Its asynchronous events; absent: this process runs none. */
  readonly events?: ToldEvents;
  readonly text: readonly string[];
}

export interface ExplainedFunctionParts {
  readonly problem: string | undefined;
  readonly errors: FunctionErrors;
  readonly mappings: readonly MappingView[];
  readonly events?: ToldEvents | undefined;
  readonly mayInspect: boolean;
}

export function explainFunction(
  resource: FunctionResource,
  whole: WholeView,
  { problem, mappings: views, ...parts }: ExplainedFunctionParts,
): ExplainedFunction {
  const { name } = resource;
  const environments = toldEnvironments(name, whole);
  const errors = parts.mayInspect ? parts.errors : withoutTexts(parts.errors);
  const mappings = views
    .map(({ resource: { mapping, spec } }) => ({ name: mapping.name, fn: baseNameOf(spec.functionName) }))
    .filter(({ fn }) => fn === name)
    .map((each) => each.name);
  const of = mappings.length === 0 ? [] : [`  mappings: ${mappings.join(", ")}`];
  const cannot = problem === undefined ? [] : [`  CANNOT START: ${problem}`];
  const hosted = environmentLines(name, environments, memoryOf(resource)).map((line) => `  ${line}`);
  const isRun = resource.target.kind === "runtime";
  const none = isRun && hosted.length === 0 ? ["  Nothing of it has started: nobody has called it."] : [];
  const { events } = parts;
  const told = events === undefined ? [] : eventLines(events).map((line) => `  ${line}`);
  const why = events === undefined ? [] : reasonLines(events.reasons).map((line) => `    ${line}`);
  const text = [
    `function ${name}`,
    ...of,
    ...cannot,
    ...hosted,
    ...none,
    ...told,
    ...why,
    ...errorLines(errors),
  ];
  const found = { function: name, environments, problem, mappings, errors, text };
  return events === undefined ? found : { ...found, events };
}

export type FunctionEnvironments = ToldEnvironments & {
  readonly function: string;
  /** What one environment may use. */
  readonly memoryMb?: number;
};

export function environmentsOf(
  functions: readonly FunctionResource[],
  whole: WholeView,
): readonly FunctionEnvironments[] {
  return functions.flatMap((resource) => {
    const told = toldEnvironments(resource.name, whole);
    const memoryMb = memoryOf(resource);
    if (told === undefined) return [];
    return [{ function: resource.name, ...told, ...(memoryMb === undefined ? {} : { memoryMb }) }];
  });
}

/** Without version, alias and all that an ARN says before the name. */
export function baseNameOf(functionName: string): string {
  const parts = functionName.split(":");
  return parts.length > 2 ? (parts[6] ?? "") : (parts[0] ?? "");
}

export function memoryOf({ target }: FunctionResource): number | undefined {
  return target.kind === "runtime" ? target.memoryMb : undefined;
}
