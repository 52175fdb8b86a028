import { Counter, type Registry } from "prom-client";
import type { SpanCounts, SpanDrop } from "./otlp/otlp-exporter.ts";

const DROPS: readonly SpanDrop[] = ["queue_full", "refused", "unreachable"];

/** At 0 also when nothing is traced, so that an alert on drops needs no second form. */
export function createSpanCounts(registry: Registry): SpanCounts {
  const exported = new Counter({
    name: "millrace_spans_exported_total",
    help: "Spans that the collector accepted.",
    registers: [registry],
  });
  const dropped = new Counter({
    name: "millrace_spans_dropped_total",
    help: "Spans that did not reach the collector, by reason.",
    labelNames: ["reason"] as const,
    registers: [registry],
  });
  for (const reason of DROPS) dropped.inc({ reason }, 0);
  return {
    exported: (spans) => exported.inc(spans),
    dropped: (reason, spans) => dropped.inc({ reason }, spans),
  };
}
