import { readFileSync } from "node:fs";
import type { Clock, ScheduledCall } from "../../ports/clock.ts";

const PAGE_BYTES = 4096;
/** Lambda's limit of processes and threads of an environment. */
const PROCESSES_MAX = 1_024;

interface MemoryUse {
  /** What all processes hold for themselves. */
  readonly bytes: number;
  readonly processes: number;
}

const LOOK_MS = 250;
/** Where nobody wants to know exactly. */
const LOOK_AGAIN_MS = 1_000;
const BYTES_PER_MB = 1024 * 1024;

/** Looks, while an environment works, at what its processes use. */
export class MemoryWatch {
  readonly #pid: number;
  readonly #clock: Clock;
  readonly #memoryMb: number;
  readonly #onExceeded: () => void;
  #timer: ScheduledCall | undefined;
  #isWorking = false;
  #maxBytes = 0;
  /** What was told last. */
  #toldBytes = 0;
  #lookedMs = Number.NEGATIVE_INFINITY;

  /** `onExceeded`: they have more memory than they may, or there are more of them. */
  constructor(
    pid: number,
    { clock, memoryMb }: { readonly clock: Clock; readonly memoryMb: number },
    onExceeded: () => void,
  ) {
    this.#pid = pid;
    this.#clock = clock;
    this.#memoryMb = memoryMb;
    this.#onExceeded = onExceeded;
  }

  start(): void {
    if (this.#isWorking || !this.#isHere) return;
    this.#isWorking = true;
    this.#timer ??= this.#clock.schedule(LOOK_MS, () => this.#look());
  }

  get #isHere(): boolean {
    return this.#pid > 0 && process.platform === "linux";
  }

  /** The timer is left to run out: one that begins and ends with each call would cost more than the look. */
  stop(): void {
    this.#isWorking = false;
  }

  /** What was seen since it was last asked, or is seen now; `undefined`: this machine does not tell. */
  takeMaxMb(isExact: boolean): number | undefined {
    // A look reads files, and short calls come many in a second.
    const isDue = isExact || this.#clock.monotonic() - this.#lookedMs >= LOOK_AGAIN_MS;
    if (!isDue && this.#maxBytes === 0) return megabytes(this.#toldBytes);
    this.#toldBytes = Math.max(this.#maxBytes, isDue && this.#isHere ? this.#use().bytes : 0);
    this.#maxBytes = 0;
    return megabytes(this.#toldBytes);
  }

  #use(): MemoryUse {
    this.#lookedMs = this.#clock.monotonic();
    return memoryUse(this.#pid);
  }

  #look(): void {
    this.#timer = undefined;
    if (!this.#isWorking) return;
    const { bytes, processes } = this.#use();
    this.#maxBytes = Math.max(this.#maxBytes, bytes);
    if (bytes > this.#memoryMb * BYTES_PER_MB || processes > PROCESSES_MAX) this.#onExceeded();
    this.#timer ??= this.#clock.schedule(LOOK_MS, () => this.#look());
  }
}

function megabytes(bytes: number): number | undefined {
  return bytes === 0 ? undefined : Math.ceil(bytes / BYTES_PER_MB);
}

/** What a process and all that descends from it use, by Linux's /proc; one that has ended uses nothing. */
function memoryUse(pid: number): MemoryUse {
  let bytes = 0;
  const pids = [pid];
  // It grows while it is gone over; a bomb must not keep the look from its end.
  for (let index = 0; index < pids.length && pids.length <= PROCESSES_MAX; index++) {
    const each = pids[index];
    try {
      const [, resident, shared] = readFileSync(`/proc/${each}/statm`, "latin1").split(" ", 3);
      bytes += (Number(resident) - Number(shared)) * PAGE_BYTES;
      const children = readFileSync(`/proc/${each}/task/${each}/children`, "latin1");
      for (const child of children.split(" ")) if (child !== "") pids.push(Number(child));
    } catch {
      // It has ended meanwhile.
    }
  }
  return { bytes, processes: pids.length };
}
