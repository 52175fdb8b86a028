import { knownArrivalMs } from "../../model/arrival.ts";
import type { WindowCheckpoint } from "../../model/checkpoint.ts";
import type { Position, TumblingWindow } from "../../model/record.ts";

export type WindowEnd = "no" | "final" | "early";

const EMPTY_STATE = "{}";
/** The shortest length that a mapping may give: of a checkpoint that names none, read by a mapping without windows. */
const LENGTH_MS_MIN = 1_000;

/**
 * The tumbling window of a shard that is open now, with the state that its invocations hand on (streams §6.1). It ends
 * by the length that it was opened with, whatever the mapping says by then.
 */
export class OpenWindow {
  readonly startMs: number;
  readonly endMs: number;
  stateJson: string;
  /** The newest record of it that is over. */
  #lastPosition: Position | undefined;
  #earlyEnds: number;
  #triedForMs: number;

  private constructor(checkpoint: WindowCheckpoint, lengthMs: number) {
    this.startMs = checkpoint.startMs;
    this.endMs = checkpoint.startMs + lengthMs;
    // plant: the-state-of-a-window-does-not-survive-a-restart
    this.stateJson = checkpoint.stateJson;
    this.#lastPosition = checkpoint.lastPosition;
    this.#earlyEnds = checkpoint.earlyEnds ?? 0;
    this.#triedForMs = checkpoint.triedForMs ?? 0;
  }

  /** Windows are aligned to multiples of their length since the epoch. */
  static around(arrivalMs: number, lengthMs: number): OpenWindow {
    const startMs = Math.floor(arrivalMs / lengthMs) * lengthMs;
    return new OpenWindow({ startMs, stateJson: EMPTY_STATE }, lengthMs);
  }

  /** `mappingLengthMs`: of the mapping, for checkpoints of before the window's own was kept. */
  static resume(checkpoint: WindowCheckpoint, mappingLengthMs: number): OpenWindow {
    // plant: an-open-window-is-resumed-with-the-mappings-present-length
    return new OpenWindow(checkpoint, checkpoint.lengthMs ?? Math.max(LENGTH_MS_MIN, mappingLengthMs));
  }

  /**
   * A record that arrived before the window began is late and belongs to it too: its own window is closed. So does one
   * whose arrival nobody knows.
   */
  holds(arrivalMs: number | undefined): boolean {
    const known = knownArrivalMs(arrivalMs);
    // plant: a-window-takes-the-first-record-of-the-next
    return known === undefined || known < this.endMs;
  }

  isOversized(stateBytesMax: number): boolean {
    return this.stateJson.length > stateBytesMax || Buffer.byteLength(this.stateJson) > stateBytesMax;
  }

  /** An invocation handed its state on, or gave its records up: those up to `lastPosition` are over. */
  keepState(stateJson: string | undefined, lastPosition: Position | undefined): void {
    // plant: the-state-of-a-window-is-not-handed-on
    this.stateJson = stateJson ?? this.stateJson;
    this.#lastPosition = lastPosition ?? this.#lastPosition;
  }

  /** An invocation has ended. A window that has had its last one is gone; one that ended early goes on. */
  handedOn(end: WindowEnd, stateJson: string | undefined, lastPosition: Position | undefined): void {
    if (end === "no") this.keepState(stateJson, lastPosition);
    if (end === "early") this.endedEarly();
  }

  /** What is left of a window that was ended early goes on with nothing. */
  endedEarly(): void {
    this.stateJson = EMPTY_STATE;
    this.#earlyEnds++;
    this.#triedForMs = 0;
  }

  /** How long its last invocation has been tried: what the mapping's record age bounds, over restarts. */
  get triedForMs(): number {
    return this.#triedForMs;
  }

  tried(forMs: number): void {
    this.#triedForMs = forMs;
  }

  /** Tells this end of the window from every other end of this and other windows, also when it comes again. */
  placeOf(end: WindowEnd): string {
    // plant: given-up-last-invocations-of-a-window-share-one-id
    const which = [end, this.#earlyEnds, this.#lastPosition ?? "nothing"];
    return `window/${this.startMs}-${this.endMs}/${which.join("/")}`;
  }

  asEvent(shardId: string, end: WindowEnd): TumblingWindow {
    return {
      shardId,
      startMs: this.startMs,
      endMs: this.endMs,
      stateJson: this.stateJson,
      isFinalInvokeForWindow: end !== "no",
      isWindowTerminatedEarly: end === "early",
    };
  }

  asCheckpoint(): WindowCheckpoint {
    return {
      startMs: this.startMs,
      lengthMs: this.endMs - this.startMs,
      stateJson: this.stateJson,
      ...(this.#lastPosition === undefined ? {} : { lastPosition: this.#lastPosition }),
      ...(this.#earlyEnds === 0 ? {} : { earlyEnds: this.#earlyEnds }),
      ...(this.#triedForMs === 0 ? {} : { triedForMs: Math.round(this.#triedForMs) }),
    };
  }
}
