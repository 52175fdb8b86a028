import type { KeySplit } from "../model/key-split.ts";
import type { Clock } from "../ports/clock.ts";
import type { Invocation, InvocationResult, Invoker, ShutReason } from "../ports/invoker.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { FunctionExplanation } from "./function-explanation.ts";
import type { FunctionInvoker } from "./function-invoker.ts";
import type { InvocableFunction } from "./invocable-function.ts";
import type { InvokerBook } from "./invoker-book.ts";
import { type OnEnriched, type Pipe, type PipeBounds, PipedInvoker } from "./piped-invoker.ts";

/** The door of a mapping to what it invokes, and what its worker asks of it. */
export interface MappingDoor extends Invoker {
  /** Why no call under this name can start. */
  shut(functionArn: string): ShutReason | undefined;
  explain(caller: string, functionArn: string): FunctionExplanation;
  /** How keys are dealt out to versions under this name, now; `undefined`: all calls go to one version. */
  split(functionArn: string): KeySplit | undefined;
  /** Calls of a caller that wait for their turn end at once, not started. */
  dismiss(caller: string): void;
}

export interface MappingDoorOptions {
  readonly clock: Pick<Clock, "now">;
  readonly telemetry: Pick<Telemetry, "count">;
  readonly bounds: PipeBounds;
}

/** That of its function, unless something stands before it. */
export function mappingDoor(
  invokers: Pick<InvokerBook, "invokerOf">,
  { fn, pipe }: { readonly fn: InvocableFunction; readonly pipe?: Pipe },
  options: MappingDoorOptions,
): MappingDoor {
  const target = invokers.invokerOf(fn);
  return pipe === undefined ? target : new PipedDoor(invokers, pipe, target, options);
}

/** Calls `target` as the mapping's own function is called: with what its pipe makes of the records. */
export function pipedInvoker(
  invokers: Pick<InvokerBook, "invokerOf">,
  pipe: Pipe,
  target: Invoker,
  { clock, telemetry, bounds }: MappingDoorOptions,
): Invoker {
  const enricher = pipe.enrichment && invokers.invokerOf(pipe.enrichment.fn);
  const onEnriched: OnEnriched = ({ caller, batch }, left) => {
    if (left === "nothing")
      telemetry.count("enrichment_emptied_events", caller.mapping ?? caller.key, batch?.records ?? 0);
  };
  return new PipedInvoker(pipe, { enricher, target }, { clock, bounds, onEnriched });
}

class PipedDoor implements MappingDoor {
  readonly #target: FunctionInvoker;
  readonly #invoker: Invoker;
  /** The door of the enrichment, and the name by which it is called. */
  readonly #enricher: { readonly door: FunctionInvoker; readonly functionArn: string } | undefined;

  constructor(
    invokers: Pick<InvokerBook, "invokerOf">,
    pipe: Pipe,
    target: FunctionInvoker,
    options: MappingDoorOptions,
  ) {
    const { enrichment } = pipe;
    this.#target = target;
    this.#invoker = pipedInvoker(invokers, pipe, target, options);
    this.#enricher = enrichment && {
      door: invokers.invokerOf(enrichment.fn),
      functionArn: enrichment.functionArn,
    };
  }

  invoke(call: Invocation): Promise<InvocationResult> {
    return this.#invoker.invoke(call);
  }

  shut(functionArn: string): ShutReason | undefined {
    const enricher = this.#enricher;
    return enricher?.door.shut(enricher.functionArn) ?? this.#target.shut(functionArn);
  }

  split(functionArn: string): KeySplit | undefined {
    return this.#target.split(functionArn);
  }

  /** It tells of the enrichment where that is what holds batches up. */
  explain(caller: string, functionArn: string): FunctionExplanation {
    const target = this.#target.explain(caller, functionArn);
    const enricher = this.#enricher?.door.explain(caller, this.#enricher.functionArn);
    if (enricher === undefined || target.shut !== undefined) return target;
    return enricher.shut !== undefined || enricher.ownWaiting > 0 ? enricher : target;
  }

  dismiss(caller: string): void {
    this.#enricher?.door.dismiss(caller);
    this.#target.dismiss(caller);
  }
}
