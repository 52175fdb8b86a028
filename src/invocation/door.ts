import { RepeatedLines } from "../lib/repeated-lines.ts";
import { describeError } from "../model/errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Invocation, InvocationResult, Invoker } from "../ports/invoker.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { InvocableFunction } from "./invocable-function.ts";
import type { InvokerBook } from "./invoker-book.ts";

/** The functions of this process by their names, as they are declared now. */
export interface DeclaredFunctions {
  declares(name: string): boolean;
  /** Opens it when it is not yet. Rejects when it cannot be opened. */
  openFunction(name: string): Promise<InvocableFunction>;
}

/** The door for callers that know a function by its name alone, and may be the first who call it. */
export class Door implements Invoker {
  readonly #functions: DeclaredFunctions;
  readonly #invokers: InvokerBook;
  readonly #telemetry: Telemetry;
  readonly #lines: RepeatedLines;

  constructor(functions: DeclaredFunctions, invokers: InvokerBook, clock: Clock, telemetry: Telemetry) {
    this.#functions = functions;
    this.#invokers = invokers;
    this.#telemetry = telemetry;
    this.#lines = new RepeatedLines(clock, telemetry);
  }

  async invoke(call: Invocation): Promise<InvocationResult> {
    const name = nameOf(call.functionArn);
    // Not counted: names that nobody declares would be labels without end.
    if (!this.#functions.declares(name)) return { kind: "refused", why: "noSuchFunction" };
    let fn: InvocableFunction;
    try {
      fn = await this.#functions.openFunction(name);
    } catch (error) {
      const fields = { function: name, error: describeError(error) };
      this.#lines.write("error", "a function that is called cannot be opened", fields, name);
      this.#telemetry.functionCall(name, call.caller.kind, "refused", undefined, 0);
      return { kind: "refused", why: "notReady" };
    }
    return await this.#invokers.invokerOf(fn).invoke(call);
  }
}

/** The seventh part of `arn:aws:lambda:REGION:ACCOUNT:function:NAME:QUALIFIER`. */
function nameOf(functionArn: string): string {
  return functionArn.split(":")[6] ?? "";
}
