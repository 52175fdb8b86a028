import type { WindowCheckpoint } from "../../model/checkpoint.ts";
import type { TumblingWindow } from "../../model/record.ts";

const EMPTY_STATE = "{}";

/** The tumbling window of a shard that is open now, with the state that its invocations hand on (streams §6.1). */
export class OpenWindow {
  readonly startMs: number;
  readonly endMs: number;
  stateJson: string;
  /** Arrival of the newest record that went into the window: the age of its final invocation. */
  lastArrivalMs: number;

  private constructor(startMs: number, lengthMs: number, stateJson: string) {
    this.startMs = startMs;
    this.endMs = startMs + lengthMs;
    this.stateJson = stateJson;
    this.lastArrivalMs = startMs;
  }

  /** Windows are aligned to multiples of their length since the epoch. */
  static around(arrivalMs: number, lengthMs: number): OpenWindow {
    return new OpenWindow(Math.floor(arrivalMs / lengthMs) * lengthMs, lengthMs, EMPTY_STATE);
  }

  static resume(checkpoint: WindowCheckpoint, lengthMs: number): OpenWindow {
    return new OpenWindow(checkpoint.startMs, lengthMs, checkpoint.stateJson);
  }

  /** A record that arrived before the window began is late and belongs to it too: its own window is closed. */
  holds(arrivalMs: number): boolean {
    return arrivalMs < this.endMs;
  }

  isOversized(stateBytesMax: number): boolean {
    return this.stateJson.length > stateBytesMax || Buffer.byteLength(this.stateJson) > stateBytesMax;
  }

  /** What is left of a window that was ended early goes on with nothing. */
  forgetState(): void {
    this.stateJson = EMPTY_STATE;
  }

  asEvent(shardId: string, end: "no" | "final" | "early"): TumblingWindow {
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
    return { startMs: this.startMs, stateJson: this.stateJson };
  }
}
