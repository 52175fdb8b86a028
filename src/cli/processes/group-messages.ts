import type { MappingProgress } from "../mapping-progress.ts";
import type { StopSignal } from "../stop-signal.ts";

/** What the parent of several processes says to one of them. JSON. */
export type ToMember =
  | { readonly kind: "stop"; readonly signal: StopSignal }
  | { readonly kind: "reload" }
  | { readonly kind: "report"; readonly request: number; readonly withMetrics: boolean }
  | { readonly kind: "answer"; readonly request: number; readonly group: GroupReport };

/** What one of them says to its parent. */
export type FromMember =
  | { readonly kind: "started" }
  | { readonly kind: "reported"; readonly request: number; readonly report: MemberReport }
  /** How it is with all processes: what the API tells. */
  | { readonly kind: "ask"; readonly request: number; readonly withMetrics: boolean };

export interface MemberReport {
  readonly mappings: readonly MappingProgress[];
  /** What `RunTelemetry.metricsSnapshot` gives. */
  readonly metrics: unknown;
}

/** Over all processes. */
export interface GroupReport {
  readonly mappings: readonly MappingProgress[];
  /** Prometheus's text; empty unless it was asked for. */
  readonly metricsText: string;
}

/** A process as its parent has it. */
export interface MemberProcess {
  readonly pid: number;
  send(message: ToMember): void;
  onMessage(listener: (message: FromMember) => void): void;
  /** Each whole line of its log and of its functions. */
  onLine(listener: (line: string) => void): void;
  kill(): void;
  /** Once it has ended and all its lines were given. */
  readonly ended: Promise<{ readonly status: number | null; readonly signal: string | null }>;
}

/** The parent as one of its processes has it. */
export interface GroupLink {
  send(message: FromMember): void;
  /** One listener at a time; `stop` and `reload` are told as signals instead. */
  onMessage(listener: (message: ToMember) => void): void;
}
