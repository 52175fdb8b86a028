import type { ParkedEvents } from "../engine/parked-batch.ts";
import type { EngineSettings } from "../engine/settings.ts";
import type { RepeatedLines } from "../lib/repeated-lines.ts";
import type { Redrive } from "../model/redrive.ts";
import type { Clock } from "../ports/clock.ts";
import type { Invoker } from "../ports/invoker.ts";
import type { Drainer, ParkingStore } from "../ports/parking-store.ts";
import type { Random } from "../ports/random.ts";
import type { RedriveFeed } from "../ports/redrives.ts";
import type { Telemetry } from "../ports/telemetry.ts";

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
  /** Where the items of a redrive go. `undefined`: its target is not there just now. */
  routeOf(redrive: Redrive): RedriveRoute | undefined;
}

export interface RedriveRoute {
  readonly invoker: Invoker;
  readonly functionArn: string;
  /** Calls at once, over all callers. */
  readonly concurrency: number;
}

/** What all redrives of a process share. */
export interface RedriveSurroundings {
  readonly store: ParkingStore;
  readonly feed: RedriveFeed;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly settings: EngineSettings;
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
  /** The lease lasts, by our own clock. */
  isLive(): boolean;
  /** Another drainer has begun: this one is over. */
  onFenced(): void;
}
