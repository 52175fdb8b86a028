import { SpanMaker, type SpanMakerOptions } from "../../invocation/span-maker.ts";
import type { TraceSubject } from "../../ports/tracing.ts";

/** Makes the spans of one shard or queue. */
export class Tracer extends SpanMaker {
  readonly subject: TraceSubject;

  constructor({ subject, ...options }: SpanMakerOptions & { readonly subject: TraceSubject }) {
    super(options);
    this.subject = subject;
  }
}
