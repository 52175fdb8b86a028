import type { LiveView } from "../../control/live/live-view.ts";
import { LiveFrames } from "./live-frames.ts";

/** A response. */
export interface LiveSink {
  /** What it holds, and its connection has not taken. */
  readonly writableLength: number;
  readonly destroyed: boolean;
  /** `false`: more is to come after `drain`. */
  write(text: string): boolean;
  destroy(): unknown;
  once(event: "drain", listener: () => void): unknown;
}

/** So many looks in a row without a byte taken: its connection is closed, and it comes again when it can. */
const IDLE_LOOKS_MAX = 30;
const HEARTBEAT_LOOKS = 15;

/**
 * Writes to one page. At the beginning all, as fast as it reads; then a frame a look. While it has not read what was
 * written before it is passed over, so that it never holds more than a frame, however long it stays away.
 */
export class LiveReader {
  readonly caller: string;
  readonly #sink: LiveSink;
  readonly #frames = new LiveFrames();
  #view: LiveView | undefined;
  #isBeginning = true;
  #isDraining = false;
  #unread = 0;
  #idleLooks = 0;
  #quietLooks = 0;

  constructor(caller: string, sink: LiveSink) {
    this.caller = caller;
    this.#sink = sink;
  }

  /** Once a look; `undefined`: there is nothing to see, and the connection is kept awake. */
  look(view: LiveView | undefined): void {
    if (this.#sink.destroyed || this.#isPassedOver()) return;
    if (view === undefined) {
      this.#quietLooks += 1;
      if (this.#quietLooks % HEARTBEAT_LOOKS === 0) this.#sink.write(": still here\n\n");
      return;
    }
    this.#view = view;
    this.#write();
  }

  #write(): void {
    this.#isDraining = false;
    const view = this.#view;
    if (view === undefined || this.#sink.destroyed) return;
    do {
      const isTaken = this.#sink.write(`data: ${this.#frames.next(view)}\n\n`);
      if (!this.#isBeginning || !this.#frames.isBehind) {
        this.#isBeginning = false;
        return;
      }
      if (!isTaken) {
        this.#isDraining = true;
        this.#sink.once("drain", () => this.#write());
        return;
      }
    } while (this.#isBeginning);
  }

  /** It has not read what it was sent; one that has stopped to read is closed. */
  #isPassedOver(): boolean {
    const unread = this.#sink.writableLength;
    const isIdle = unread > 0 && unread >= this.#unread && this.#unread > 0;
    this.#unread = unread;
    this.#idleLooks = isIdle ? this.#idleLooks + 1 : 0;
    if (this.#idleLooks >= IDLE_LOOKS_MAX) this.#sink.destroy();
    return unread > 0 || this.#isDraining;
  }
}
