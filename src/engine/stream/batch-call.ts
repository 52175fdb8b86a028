import type { Invocation, InvocationResult } from "../../ports/invoker.ts";
import { type AttemptNotes, epochOf } from "../invoke/attempt-notes.ts";
import { type BatchVerdict, readResponse } from "../invoke/response.ts";
import type { BatchTrace } from "../trace/batch-trace.ts";
import { carriersOf } from "../trace/carriers.ts";
import { bornMs } from "./expiry.ts";
import { recordFinder } from "./item-identifier.ts";
import type { Segment } from "./segment.ts";
import type { ShardContext } from "./shard-context.ts";
import { noteUnencodable } from "./throwing-source.ts";
import type { OpenWindow } from "./tumbling-window.ts";

/** Calls the function, through its door, with the parts of one batch. */
export class BatchCall {
  readonly #context: ShardContext;
  readonly #window: OpenWindow | undefined;
  readonly #notes: AttemptNotes;
  readonly #trace: BatchTrace | undefined;

  constructor(
    context: ShardContext,
    window: OpenWindow | undefined,
    notes: AttemptNotes,
    trace: BatchTrace | undefined,
  ) {
    this.#context = context;
    this.#window = window;
    this.#notes = notes;
    this.#trace = trace;
  }

  /** `undefined`: nothing was invoked, since records cannot be encoded; they are noted. */
  async invoke(segment: Segment): Promise<InvocationResult | undefined> {
    try {
      return await this.#context.invoker.invoke(this.#request(segment));
    } catch (error) {
      if (noteUnencodable(this.#context.source.events, segment.records)) return undefined;
      throw error;
    }
  }

  /** What the function's answer says of the segment's records. */
  verdictOn({ records, windowEnd }: Segment, payload: Uint8Array): BatchVerdict {
    const { mapping, source, shardId } = this.#context;
    return readResponse(payload, {
      reportBatchItemFailures: mapping.reportBatchItemFailures && records.length > 0,
      expectsState: this.#window !== undefined && windowEnd === "no",
      indexOf: recordFinder(records, source, shardId),
    });
  }

  /**
   * How many of the records fit into one event. Lanes cut batches to fit; but the state of a tumbling window may have
   * grown since, and a single record may be too large for any event.
   */
  fittingRecords({ records, windowEnd }: Segment): number {
    if (records.length > 1 && this.#window === undefined) return records.length;
    const { source, settings, shardId } = this.#context;
    const { events } = source;
    const window = this.#window?.asEvent(shardId, windowEnd);
    let bytes = window === undefined ? events.envelopeBytes(shardId) : events.encode([], window).length;
    let count = 0;
    for (const { record } of records) {
      bytes += record.encodedBytes + (count === 0 ? 0 : 1);
      if (bytes > settings.payloadBytesMax) break;
      count++;
    }
    return count;
  }

  #request(segment: Segment): Invocation {
    const { mapping, source, callSignal, clock, caller, shardId, routingKey, routingPlace } = this.#context;
    const isOfWindow = this.#window !== undefined;
    const window = this.#window?.asEvent(shardId, segment.windowEnd);
    const first = segment.records[0];
    const born = first && bornMs(first.record.arrivalMs, first.read);
    return {
      caller,
      requestId: segment.requestId,
      functionArn: mapping.functionArn,
      // plant: a-window-goes-to-two-versions
      routingKey: isOfWindow ? shardId : routingKey,
      routingPlace: isOfWindow ? undefined : routingPlace,
      batch: {
        records: segment.records.length,
        isRetry: segment.isRetry,
        arrivalMs: born === undefined ? undefined : epochOf(clock)(born),
        position: first?.record.position,
      },
      payload: () => {
        this.#notes.does("invoking");
        return source.events.encode(recordsOf(segment), window);
      },
      // plant: what-is-left-of-a-batch-is-started-after-stop-2
      mayStart: () => this.#context.startPermission() === "start",
      signal: callSignal,
      beginSpan: this.#beginSpan(segment),
    };
  }

  #beginSpan({ requestId, records }: Segment): Invocation["beginSpan"] {
    const trace = this.#trace;
    if (trace === undefined) return undefined;
    const { events } = this.#context.source;
    return () => trace.beginAttempt({ requestId, carriers: carriersOf(events, records) });
  }
}

function recordsOf(segment: Segment) {
  return segment.records.map(({ record }) => record);
}
