import { assertInvariant } from "../model/errors.ts";
import { isoTime } from "../model/failure-record.ts";
import {
  filledInputTemplate,
  type InputTemplate,
  type PipeVariables,
  type TemplateValues,
} from "../model/input-template.ts";
import type { InvocationOutcome } from "../model/outcome.ts";
import type { Clock } from "../ports/clock.ts";
import type { Invocation, InvocationResult, Invoker } from "../ports/invoker.ts";
import type { PipeRecords } from "../ports/pipe-records.ts";
import { readEnrichedAnswer } from "./enriched-answer.ts";
import type { InvocableFunction } from "./invocable-function.ts";

/** What stands between the filter of a mapping and its function (queues §3). */
export interface Pipe {
  /** Gets the records, and answers what goes on in their place. */
  readonly enrichment: PipeEnrichment | undefined;
  /** What each record is made into before the function. */
  readonly template: InputTemplate | undefined;
  readonly records: PipeRecords;
  /** All but the time. */
  readonly variables: PipeVariables;
}

export interface PipeEnrichment {
  readonly fn: InvocableFunction;
  readonly functionArn: string;
  readonly template: InputTemplate | undefined;
}

/** What is sent to a function may be so large. */
export interface PipeBounds {
  readonly payloadBytesMax: number;
}

/** Says where the enrichment has left a batch. */
export type OnEnriched = (call: Invocation, left: "records" | "nothing") => void;

/** What a stage would be sent is larger than a function takes. */
class OversizedStage extends Error {}

const NOTHING_TO_DO: InvocationOutcome = { kind: "succeeded", payload: new Uint8Array() };
const TOO_LARGE: InvocationOutcome = { kind: "payloadTooLarge" };

/**
 * The door of a mapping with a pipe: to its caller one call, as any other. Each of its stages goes through the door of
 * its own function, and holds a place there for as long as it runs and no longer. What an enrichment comes to, unless
 * it answers, is what the call comes to: so it is tried again, split and given up by the mapping's rules, from the
 * records on (queues §3).
 */
export class PipedInvoker implements Invoker {
  readonly #pipe: Pipe;
  readonly #enricher: Invoker | undefined;
  readonly #target: Invoker;
  readonly #clock: Pick<Clock, "now">;
  readonly #bounds: PipeBounds;
  readonly #onEnriched: OnEnriched;

  /** `enricher`: the door of the pipe's enrichment. */
  constructor(
    pipe: Pipe,
    doors: { readonly enricher: Invoker | undefined; readonly target: Invoker },
    options: {
      readonly clock: Pick<Clock, "now">;
      readonly bounds: PipeBounds;
      readonly onEnriched: OnEnriched;
    },
  ) {
    this.#pipe = pipe;
    this.#enricher = doors.enricher;
    this.#target = doors.target;
    this.#clock = options.clock;
    this.#bounds = options.bounds;
    this.#onEnriched = options.onEnriched;
  }

  async invoke(call: Invocation): Promise<InvocationResult> {
    try {
      const { enrichment } = this.#pipe;
      const enricher = this.#enricher;
      if (enrichment === undefined || enricher === undefined) return await this.#invokeWith(call);
      return await this.#invokeEnriched(call, enrichment, enricher);
    } catch (error) {
      if (error instanceof OversizedStage) return TOO_LARGE;
      throw error;
    }
  }

  /** The records of the call, each by the template. */
  #invokeWith(call: Invocation): Promise<InvocationResult> {
    const payload = () => this.#batch(this.#recordsOf(call), this.#pipe.template);
    return this.#target.invoke({ ...call, payload });
  }

  async #invokeEnriched(
    call: Invocation,
    { functionArn, template }: PipeEnrichment,
    enricher: Invoker,
  ): Promise<InvocationResult> {
    const { beginSpan: _ofFunction, sink: _answered, batch, ...unsided } = call;
    // Sides are those of the function: the enrichment may be an alias with weights of its own.
    const { routingKey: _key, routingPlace: _place, ...own } = unsided;
    const result = await enricher.invoke({
      ...own,
      functionArn,
      ...(batch === undefined ? {} : { batch: { ...batch, isPrepared: true } }),
      payload: () => this.#batch(this.#recordsOf(call), template),
    });
    // plant: a-failed-enrichment-is-passed-over
    if (result.kind !== "succeeded") return withoutVersion(result);
    const answer = readEnrichedAnswer(result.payload);
    if (answer.kind === "malformed")
      return { kind: "functionError", errorType: "Enrichment.InvalidResponse", message: answer.reason };
    this.#onEnriched(call, answer.kind === "batch" ? "records" : "nothing");
    if (answer.kind === "nothing") return NOTHING_TO_DO;
    return this.#target.invoke({ ...call, payload: () => this.#batch(answer.elements, this.#pipe.template) });
  }

  #recordsOf(call: Invocation): readonly string[] {
    const records = this.#pipe.records.split(call.payload());
    assertInvariant(
      records !== undefined,
      "an event of a mapping cannot be taken apart by its own connector",
    );
    return records;
  }

  /** A JSON list. @throws OversizedStage */
  #batch(records: readonly string[], template: InputTemplate | undefined): Uint8Array {
    const { payloadBytesMax } = this.#bounds;
    const values: TemplateValues = {
      data: this.#pipe.records.data,
      variables: {
        ...this.#pipe.variables,
        "event.ingestion-time": isoTime(this.#clock.now()),
      },
      charsMax: payloadBytesMax,
    };
    const elements: string[] = [];
    let chars = 2;
    for (const record of records) {
      const element = template === undefined ? record : filledInputTemplate(template, record, values);
      chars += (element?.length ?? payloadBytesMax) + 1;
      if (element === undefined || chars > payloadBytesMax + 1) throw new OversizedStage();
      elements.push(element);
    }
    const batch = Buffer.from(`[${elements.join(",")}]`);
    // plant: a-stage-gets-more-than-a-function-takes
    if (batch.length > payloadBytesMax) throw new OversizedStage();
    return batch;
  }
}

/** Failure records name the version of the mapping's function. */
function withoutVersion(result: InvocationResult): InvocationResult {
  if (!("executedVersion" in result)) return result;
  const { executedVersion: _enrichments, ...others } = result;
  return others;
}
