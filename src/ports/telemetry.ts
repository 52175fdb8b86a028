import type { CallerKind } from "../model/caller.ts";

/** What the engine tells of itself. Calls are cheap and never throw; labels come from closed sets only. */
export interface Telemetry {
  count(counter: CounterName, mapping: string, amount: number): void;
  observe(histogram: HistogramName, mapping: string, value: number): void;
  gauge(gauge: GaugeName, mapping: string, value: number): void;
  /**
   * Records of a shard that are not processed; `undefined`: this process reads the shard no more. Shards are a label
   * here: only sources with a fixed, small number of them report it.
   */
  offsetLag(mapping: string, shardId: string, records: number | undefined): void;
  /** An outcome of an invocation, by kind: `succeeded`, `functionError`, … */
  invocation(mapping: string, outcome: string, durationMs: number): void;
  /**
   * A call of a function has ended, whoever made it; `durationMs` is absent of a call that was refused. `waitedMs`: for
   * its place, before it started.
   */
  functionCall(
    fn: string,
    caller: CallerKind,
    outcome: string,
    durationMs: number | undefined,
    waitedMs: number,
  ): void;
  /** So many more calls of it run now. */
  functionRunning(fn: string, change: 1 | -1): void;
  /** So many calls of it at once were granted to this process, of concurrency that processes share. */
  functionGrant(fn: string, granted: number): void;
  /** What became of a function's asynchronous events. */
  asyncCount(counter: AsyncCounterName, fn: string, amount: number): void;
  /** From the acceptance of an event to an attempt. */
  asyncAge(fn: string, seconds: number): void;
  /** Never given payloads, keys, group ids, headers or attributes of records, nor texts of functions. */
  log(level: LogLevel, message: string, fields: LogFields): void;
  /** Debug lines are written. Who would write one for every batch asks first. */
  readonly logsDebug: boolean;
  /** A rare state was reached. The simulation counts these; production does nothing. */
  mark(name: MarkName): void;
}

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Event counts with AWS's meanings (streams §8.2) and the engine's own. Each becomes `millrace_<name>_total`. */
export const COUNTERS = {
  polled_events: "Records read from the source.",
  filtered_out_events: "Records that no filter pattern matched.",
  invoked_events: "Records handed to the function; counted again for every retry.",
  redriven_events: "Records that a redrive handed to the function; counted again for every try.",
  redrive_failed_events:
    "Records of a redrive that failed again: failures of their own, and the rest of their keys waits.",
  redrive_uncertain_events: "Records of a redrive of which nobody knows whether the function did its work.",
  failed_invoke_events: "Records of invocations that failed, or that a partial response left to retry.",
  enrichment_emptied_events:
    "Records of batches of which their mapping's enrichment left nothing: the function was not called.",
  dropped_events: "Records given up by age or attempts that no destination accepted.",
  on_failure_destination_delivered_events: "Records that the failure destination accepted.",
  destination_delivery_failures: "Failure records that the destination did not accept, tries included.",
  failure_index_errors: "Failures that a destination accepted and that the list of failures has not.",
  deleted_events: "Messages taken off their queue after processing.",
  unseen_receives:
    "Messages given back to their queue before a function saw them: the queue counts a receive of each.",
  damaged_events: "Messages that could not be filtered or made part of an event: each is given up alone.",
  forgotten_messages:
    "Messages that nobody had in hand when all work of their mapping had ended: a defect of the engine.",
  lost_holds: "Messages whose hold ended before they were settled: they come again.",
  expired_events: "Records that the source's retention ended while they were retried.",
  skipped_events: "Records read again after a restart that were settled before it.",
  trimmed_gaps: "Times that the source had trimmed records before they could be read.",
  changed_logs: "Times that a shard was found to be another log of its name, or to have lost its end.",
  source_errors: "Reads and listings that the source failed or throttled.",
  retries:
    "Invocations with records that an earlier invocation had too, after it failed, was throttled or did not start.",
  partial_failures: "Answers that listed a part of their batch as failed.",
  batch_splits: "Batches split by bisect, or since the function's front refused their size.",
  too_large_events:
    "Records in attempts that no invocation can hold, or whose size was refused before the function ran.",
  checkpoints: "Checkpoints stored.",
  checkpoint_failures: "Checkpoint writes that failed or whose effect is unknown.",
  leases_acquired: "Leases taken.",
  leases_expired: "Leases that ran out by our own clock, since no renewal came through in time.",
  leases_lost: "Leases that another owner took or that ran out.",
} as const;
export type CounterName = keyof typeof COUNTERS;

/** The same of asynchronous events, by function. */
export const ASYNC_COUNTERS = {
  async_events_received: "Asynchronous events that were accepted (AsyncEventsReceived).",
  async_events_dropped:
    "Asynchronous events that were given up; their destinations and dead-letter queues were told (AsyncEventsDropped).",
  async_destination_delivery_failures:
    "Records of asynchronous events that their destination did not accept, tries included (DestinationDeliveryFailures).",
  dead_letter_errors:
    "Events that their dead-letter queue did not accept, tries included (DeadLetterErrors).",
  async_deliveries_dropped: "Records and dead letters that were dropped: no try is made any more.",
  recursive_invocations_dropped:
    "Calls that were refused since their chain had passed the function too often (RecursiveInvocationsDropped).",
} as const;
export type AsyncCounterName = keyof typeof ASYNC_COUNTERS;

/** Each becomes `millrace_<name>`. */
export const HISTOGRAMS = {
  iterator_age_seconds: "Age of the last record of a batch when its processing ended.",
  batch_size_records: "Records of an invocation.",
  put_to_invoke_seconds:
    "From the arrival of a batch's first record at its source to the start of its first invocation.",
  quiet_tenant_dwell_seconds:
    "Time that a message of a tenant with no more than its share of what waits spent in our hands before its batch.",
  noisy_tenant_dwell_seconds: "The same of a tenant with more than its share.",
} as const;
export type HistogramName = keyof typeof HISTOGRAMS;

export const GAUGES = {
  in_flight_invocations: "Invocations that have started and not ended.",
  buffered_bytes: "Bytes of records read and not settled.",
  buffered_records: "Records read and not settled.",
  owned_shards: "Shards that this process reads.",
  checkpoint_lag_records: "Records settled since the newest durable checkpoints: what a crash would repeat.",
  queue_receivers: "Receives of a queue that run at once: its pollers.",
  queue_concurrency_limit: "Batches of a queue that this process may run at once for now.",
  active_tenants: "Tenants with messages that wait in this process, of a mapping with fair lanes.",
  redrives_running: "Redrives of the mapping that this process hands over and that have something left.",
  redrive_left_events: "Records of these that have not come to an end, as counted last.",
} as const;
export type GaugeName = keyof typeof GAUGES;

/** Rare states that a run of the simulation must have seen; each stands in one place of the engine. */
export const MARKS = [
  "filtered page moves the mark without an invocation",
  "settled ahead of the low-water mark",
  "settled range resumed after restart",
  "read paused by a full window",
  "read paused by a full byte budget",
  "batch cut by payload size",
  "batch flushed by window",
  "batch flushed under pressure",
  "record expired before invocation",
  "record expired while retrying",
  "expired records cut from a live batch",
  "retention ended a retry",
  "retries exhausted",
  "bisect depth 5",
  "odd batch bisected",
  "partial response moved on",
  "partial response without progress",
  "partial response malformed",
  "listed record held back its key",
  "oversized record",
  "batch split by size that was refused",
  "damaged record given up",
  "throttled attempt cost no retry",
  "unavailable attempt cost no retry",
  "retry-after honoured",
  "window final invocation",
  "window closed by idle time",
  "window terminated early",
  "window state missing",
  "window resumed from checkpoint",
  "destination unavailable",
  "destination rejected",
  "drop without destination",
  "read throttled",
  "read failed",
  "source trimmed a gap",
  "shard missing in a listing",
  "end of shard with records in flight",
  "child waited for parent",
  "merged child waited for both parents",
  "lease taken over",
  "lease handed over",
  "lease lost in flight",
  "lease expired locally",
  "checkpoint fenced",
  "checkpoint unknown then written again",
  "work waited for a checkpoint",
  "last checkpoint written while draining",
  "stopped without a last checkpoint",
  "stopped with batches in flight",
  "drain deadline passed",
  "retry wait cut short by stop",
  "receive throttled",
  "receive failed",
  "receives failed together",
  "receive paused by a full byte budget",
  "filtered messages deleted",
  "batches at once at their cap",
  "part of a maximum taken over",
  "part of a maximum handed over",
  "messages given back without a place to run",
  "batches at once halved",
  "group waits for the end of its batch",
  "group given back behind a failure",
  "group given back behind a lost message",
  "later messages of a group held back behind a listed failure",
  "partial response of a queue",
  "malformed response fails a batch of a queue",
  "throttled batch given up at the end of its hold",
  "batch not started: a hold had ended",
  "holds prolonged",
  "hold lost while waiting",
  "hold lost in flight",
  "acknowledge tried again",
  "acknowledge given up with its hold",
  "acknowledge found the hold lost",
  "stopped with messages to run",
  "receives taken over from an earlier configuration",
  "kept receives given back",
  "kept messages held for longer",
  "visibility time-out changed while running",
  "message given up: it cannot be converted",
  "batch made anew without what cannot be converted",
  "waiting messages released on stop",
  "drain of a queue cut short",
  "lane drains before its keys move",
  "waiting records dealt out anew",
  "groups of another side wait for their own batch",
] as const;
/** The same of redrives, which have a simulation of their own. */
export const REDRIVE_MARKS = [
  "redrives of a mapping taken over",
  "parked request made again under its id",
  "parked item uncertain",
  "parked item tried again",
] as const;
/** The same of parked keys. */
export const PARKED_KEY_MARKS = [
  "key parked",
  "batch split by key",
  "follower parked",
  "parked record read again",
  "parked behind another tail",
  "append refused after close",
  "zombie append fenced",
  "parking full blocked",
  "batch blocked beyond its retries",
] as const;
export type MarkName =
  | (typeof MARKS)[number]
  | (typeof REDRIVE_MARKS)[number]
  | (typeof PARKED_KEY_MARKS)[number];
