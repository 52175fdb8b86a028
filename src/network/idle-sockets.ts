const LOOK_MS = 1_000;

/** What may be closed when nobody has used it for a while. */
export interface Idling {
  /** A second has passed. */
  onSecond(): void;
}

/** One timer for all connections that are open, instead of one for each that is set and cleared at each request. */
class IdleSockets {
  readonly #open = new Set<Idling>();
  #timer: NodeJS.Timeout | undefined;

  add(client: Idling): void {
    this.#open.add(client);
    if (this.#timer !== undefined) return;
    // Nobody waits for it.
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  remove(client: Idling): void {
    this.#open.delete(client);
    if (this.#open.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    for (const client of this.#open) client.onSecond();
  }
}

export const idleSockets = new IdleSockets();
