/** Who sends the requests of one connection. */
export interface Connection {
  destroy(): unknown;
  destroySoon(): void;
}

interface Line {
  isBusy: boolean;
  /** What came behind the request that has the turn cannot be read. */
  isEnding: boolean;
  readonly waiting: (() => void)[];
}

/**
 * Requests of a connection are handled one after the other, also those that were sent before the first of them was
 * answered: else one connection could call a function as often at once as it likes.
 */
export class Turns {
  readonly #lines = new WeakMap<Connection, Line>();
  readonly #aheadMax: number;

  constructor(aheadMax: number) {
    this.#aheadMax = aheadMax;
  }

  /** Runs `handle` now, or when its turn has come. Whoever sends too far ahead is cut off. */
  take(connection: Connection, handle: () => void): void {
    const line = this.#lineOf(connection);
    // plant: requests-of-one-connection-run-at-once
    if (line.isBusy) {
      line.waiting.push(handle);
      if (line.waiting.length > this.#aheadMax) connection.destroy();
      return;
    }
    line.isBusy = true;
    handle();
  }

  /** The response of the one that has the turn is over. */
  give(connection: Connection): void {
    const line = this.#lineOf(connection);
    const next = line.waiting.shift();
    if (line.isEnding) connection.destroySoon();
    else if (next === undefined) line.isBusy = false;
    else next();
  }

  /** Nothing more is read. `false`: the connection ends with the response that is due. */
  end(connection: Connection): boolean {
    const line = this.#lineOf(connection);
    line.isEnding = true;
    line.waiting.length = 0;
    return !line.isBusy;
  }

  /** The one that was taken last has the turn. */
  isAlone(connection: Connection): boolean {
    return this.#lineOf(connection).waiting.length === 0;
  }

  #lineOf(connection: Connection): Line {
    const known = this.#lines.get(connection);
    if (known !== undefined) return known;
    const line = { isBusy: false, isEnding: false, waiting: [] };
    this.#lines.set(connection, line);
    return line;
  }
}
