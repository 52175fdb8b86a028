import type { RepeatedLines } from "../../lib/repeated-lines.ts";
import type { NewAsyncItem } from "../../model/async-item.ts";
import type { AsyncDestinations } from "../../ports/async-destinations.ts";
import type { AsyncFunctions } from "../../ports/async-functions.ts";
import type { AsyncQueue } from "../../ports/async-queue.ts";
import type { Clock } from "../../ports/clock.ts";
import type { EventNotes } from "../../ports/failure-notes.ts";
import type { Invoker } from "../../ports/invoker.ts";
import type { Random } from "../../ports/random.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { HeldItems } from "./held-items.ts";

/** What those share who work on asynchronous events. */
export interface AsyncParts {
  readonly queue: AsyncQueue;
  readonly invoker: Invoker;
  readonly functions: AsyncFunctions;
  readonly destinations: AsyncDestinations;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly lines: RepeatedLines;
  readonly held: HeldItems;
  /** Told of events that were given up; absent: nobody lists them. */
  readonly failures?: EventNotes | undefined;
  /** These were put into the queue: they may be looked at now. */
  onPut(items: readonly NewAsyncItem[]): void;
  /** Aborts when nothing more is to start. */
  readonly stopping: AbortSignal;
  /** Aborts when what runs is to end at once. */
  readonly ending: AbortSignal;
}
