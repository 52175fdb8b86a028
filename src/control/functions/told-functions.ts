import type { FunctionResource } from "../../manifests/resources.ts";
import type { FunctionErrors } from "../../model/function-error.ts";
import type { ToldEvents } from "../beside/told-events.ts";
import type { FunctionLogBook } from "../logs/function-log-book.ts";
import { FunctionLogs, type FunctionLogsOptions } from "../logs/function-logs.ts";
import type { MappingView } from "../mapping-view.ts";
import type { WholeView } from "../whole-view.ts";
import {
  type ExplainedFunction,
  environmentsOf,
  explainFunction,
  type FunctionEnvironments,
} from "./explain-function.ts";

export interface ToldFunctionsOptions extends Pick<FunctionLogsOptions, "snapshots" | "processId" | "clock"> {
  readonly functionLog: FunctionLogBook;
  readonly functionBook: { troubleOf(name: string): string | undefined };
}

/** What this process runs, and what all say. */
interface Plane {
  readonly functions: readonly FunctionResource[];
  readonly mappings: { list(filter: object): Promise<readonly MappingView[]> };
  readonly toldBeside: { eventsOf(name: string, mayInspect: boolean): Promise<ToldEvents | undefined> };
  errorsOf(name: string): FunctionErrors;
  everywhere(isPatient: boolean): Promise<WholeView>;
}

/** How functions stand over all processes: what they print, what they run in, and why they cannot start. */
export class ToldFunctions {
  readonly logs: FunctionLogs;
  readonly #options: ToldFunctionsOptions;
  readonly #plane: Plane;

  constructor(options: ToldFunctionsOptions, plane: Plane) {
    this.#options = options;
    this.#plane = plane;
    const everywhere = (isPatient: boolean) => plane.everywhere(isPatient);
    this.logs = new FunctionLogs({ ...options, book: options.functionLog, everywhere });
  }

  /** Why a function cannot be opened by this process; `undefined`: it can, or nobody has tried. */
  troubleOf(name: string): string | undefined {
    return this.#options.functionBook.troubleOf(name);
  }

  /** Those that have started any. */
  async environments(): Promise<readonly FunctionEnvironments[]> {
    return environmentsOf(this.#plane.functions, await this.#plane.everywhere(false));
  }

  /** `undefined`: there is none of this name. @throws MillraceError ERR_MILLRACE_STORE_UNAVAILABLE */
  async explain(name: string, mayInspect: boolean): Promise<ExplainedFunction | undefined> {
    const plane = this.#plane;
    const resource = plane.functions.find((each) => each.name === name);
    if (resource === undefined) return undefined;
    const problem = this.#options.functionBook.troubleOf(name);
    const [errors, mappings] = [plane.errorsOf(name), await plane.mappings.list({})];
    const events = await plane.toldBeside.eventsOf(name, mayInspect);
    const parts = { problem, errors, mappings, events, mayInspect };
    return explainFunction(resource, await plane.everywhere(true), parts);
  }
}
