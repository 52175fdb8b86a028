/**
 * Bytes of request bodies that are held at once, over all connections: what one caller may send is bounded by its
 * route, what all send together only here.
 */
export interface BodyBytesLimits {
  readonly totalMax: number;
  /** Bytes among those of callers who have not proven yet who they are. */
  readonly unprovenMax: number;
}

const MIB = 1024 * 1024;

/**
 * One function's code as large as it may be, and four of the largest payloads beside it. A signature is over a body
 * that must be there before it can be looked at: so code may come from who has not proven yet who it is.
 */
export const BODY_BYTES_LIMITS: BodyBytesLimits = { totalMax: 96 * MIB, unprovenMax: 68 * MIB };

export class BodyBytes {
  readonly #limits: BodyBytesLimits;
  #total = 0;
  #unproven = 0;

  constructor(limits: BodyBytesLimits = BODY_BYTES_LIMITS) {
    this.#limits = limits;
  }

  get held(): number {
    return this.#total;
  }

  /** What one request holds: taken while its body comes, given back once, when it is answered or its caller is gone. */
  open(isProven: boolean): HeldBody {
    let bytes = 0;
    let isUnproven = !isProven;
    let isClosed = false;
    return {
      take: (count) => {
        const { totalMax, unprovenMax } = this.#limits;
        if (isClosed || this.#total + count > totalMax) return false;
        if (isUnproven && this.#unproven + count > unprovenMax) return false;
        bytes += count;
        this.#total += count;
        if (isUnproven) this.#unproven += count;
        return true;
      },
      prove: () => {
        if (isUnproven) this.#unproven -= bytes;
        isUnproven = false;
      },
      close: () => {
        if (isClosed) return;
        isClosed = true;
        this.#total -= bytes;
        if (isUnproven) this.#unproven -= bytes;
      },
    };
  }
}

export interface HeldBody {
  /** `false`: there is no room for so many more, and none was taken. */
  take(count: number): boolean;
  /** Its caller has been found to be who it says. */
  prove(): void;
  close(): void;
}
