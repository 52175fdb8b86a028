import type { ParkedEvents } from "../engine/parked-batch.ts";
import type { EngineSettings } from "../engine/settings.ts";
import type { FunctionExplanation } from "../invocation/function-explanation.ts";
import type { RepeatedLines } from "../lib/repeated-lines.ts";
import type { Redrive } from "../model/redrive.ts";
import type { Clock } from "../ports/clock.ts";
import type { Invoker } from "../ports/invoker.ts";
import type { Drainer, ParkingStore } from "../ports/parking-store.ts";
import type { Random } from "../ports/random.ts";
import type { RedriveFeed } from "../ports/redrives.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { TraceSubject, Tracing } from "../ports/tracing.ts";

/** A mapping as its redrives see it: where its items go, and in what form. */
export interface RedriveMapping {
  readonly uuid: string;
  readonly name: string;
  readonly functionName: string;
  readonly functionArn: string;
  readonly batchSize: number;
  readonly retryAttemptsMax: number | undefined;
  readonly reportBatchItemFailures: boolean;
  readonly events: ParkedEvents;
  /** Whom spans tell of. */
  subject(shardId: string): TraceSubject;
  /** Where the items of a redrive go. `undefined`: its target is not there just now. */
  routeOf(redrive: Redrive): RedriveRoute | undefined;
}

export interface RedriveRoute {
  readonly invoker: Invoker;
  readonly functionArn: string;
  /** Calls at once, over all callers. */
  readonly concurrency: number;
  /** How it stands for a caller of this key. */
  explain(callerKey: string): FunctionExplanation;
}

/** What all redrives of a process share. */
export interface RedriveSurroundings {
  readonly store: ParkingStore;
  readonly feed: RedriveFeed;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly settings: EngineSettings;
  /** Absent: nothing is traced. */
  readonly tracing?: Tracing | undefined;
  /** A UUID that is the same for the same text, and for no other. */
  digest(text: string): string;
}

/** What one redrive works with, while this process holds its mapping's lease for redrives. */
export interface RedriveContext extends RedriveSurroundings {
  readonly mapping: RedriveMapping;
  readonly drainer: Drainer;
  readonly lines: RepeatedLines;
  /** Aborts when nothing new may start. */
  readonly stopSignal: AbortSignal;
  /** Aborts when running calls are given up. */
  readonly callSignal: AbortSignal;
  /** Aborts when nothing is written any more: what has started and not ended is the next drainer's. */
  readonly writeSignal: AbortSignal;
  /** Higher each time. */
  nextAttempt(): number;
  /** So many items of a redrive have not come to an end; 0: it is nothing to this process any more. */
  onLeft(redriveId: string, items: number): void;
  /** The lease lasts, by our own clock. */
  isLive(): boolean;
  /** Another drainer has begun: this one is over. */
  onFenced(): void;
}
