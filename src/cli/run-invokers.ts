import { CallTracer } from "../invocation/call-tracer.ts";
import type { ErrorBook } from "../invocation/error-book.ts";
import { InvokerBook } from "../invocation/invoker-book.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { Tracing } from "../ports/tracing.ts";

export interface RunInvokersOptions {
  readonly adapters: { readonly clock: Clock; readonly random: Random };
  readonly telemetry: Telemetry;
  readonly tracing: Tracing | undefined;
  readonly errors: ErrorBook;
  readonly accountConcurrency: number | undefined;
}

/** The doors to all functions of the process. */
export function createInvokers(options: RunInvokersOptions): InvokerBook {
  const { adapters, telemetry, tracing, errors, accountConcurrency } = options;
  const { clock, random } = adapters;
  const tracer = tracing && new CallTracer({ tracing, clock, random });
  return new InvokerBook(clock, telemetry, { errors, tracer, accountConcurrency });
}
