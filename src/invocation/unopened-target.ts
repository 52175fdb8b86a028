import type { InvocationOutcome } from "../model/outcome.ts";
import type { FunctionTarget } from "../ports/function-target.ts";

/** Stands in the place of a version that could not be opened, until it can be: the door refuses its calls. */
export class UnopenedTarget implements FunctionTarget {
  /** For people. */
  readonly problem: string;

  constructor(problem: string) {
    this.problem = problem;
  }

  async invoke(): Promise<InvocationOutcome> {
    return { kind: "unavailable", message: this.problem };
  }

  async close(): Promise<void> {}
}
