import type { Clock, ScheduledCall } from "../ports/clock.ts";

/** At a gigabyte per second a thread grows by a fifth of the headroom below from one look to the next. */
const LOOK_MS = 200;

/** V8 lets garbage lie until the heap is a multiple of what lives: more than this multiple is no garbage. */
const STOP_FACTOR = 2;

/** Room for one more look and for one large allocation. */
const HEADROOM_MB = 2048;

const BYTES_PER_MB = 1024 * 1024;

/**
 * V8's own limit for a worker. Far above `memoryMb`, because V8 ends the whole process, not the worker, when a single
 * allocation (a growing Map, a large array) does not fit below it any more; only slow growth ends the worker alone.
 */
export function heapLimitMb(memoryMb: number): number {
  return memoryMb * STOP_FACTOR + HEADROOM_MB;
}

export interface WatchedHeap {
  /** Rejects when the thread is gone. */
  usedHeapBytes(): Promise<number>;
  /** The heap is larger than it may be. */
  onHeapExceeded(): void;
}

/** Looks at the heaps of running workers and stops those that grow too large, while the process still stands it. */
export class MemoryWatch<Heap extends WatchedHeap> {
  readonly #clock: Clock;
  readonly #bytesMax: number;
  readonly #running: () => Iterable<Heap>;
  #look: ScheduledCall | undefined;

  /** `running` gives the workers that run an invocation at this moment. */
  constructor(clock: Clock, memoryMb: number, running: () => Iterable<Heap>) {
    this.#clock = clock;
    this.#bytesMax = memoryMb * STOP_FACTOR * BYTES_PER_MB;
    this.#running = running;
  }

  /** Something runs; the watch rests by itself when nothing does. */
  wake(): void {
    this.#look ??= this.#clock.schedule(LOOK_MS, () => this.#lookAround());
  }

  close(): void {
    this.#look?.cancel();
    this.#look = undefined;
  }

  #lookAround(): void {
    this.#look = undefined;
    for (const heap of this.#running()) {
      this.wake();
      heap.usedHeapBytes().then(
        (bytes) => {
          if (bytes > this.#bytesMax) heap.onHeapExceeded();
        },
        () => {},
      );
    }
  }
}
