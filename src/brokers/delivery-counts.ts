/** Messages that are remembered, at most: the ones that were given last. */
const MESSAGES_MAX = 20_000;

/**
 * How often this process gave each message of a queue whose broker forgets it when a consumer leaves. Bounded: what is
 * forgotten begins again at what the broker counts.
 */
export class DeliveryCounts {
  readonly #gives = new Map<string, number>();

  before(messageId: string): number {
    return this.#gives.get(messageId) ?? 0;
  }

  gave(messageId: string): void {
    const gives = this.before(messageId) + 1;
    this.#gives.delete(messageId);
    this.#gives.set(messageId, gives);
    if (this.#gives.size <= MESSAGES_MAX) return;
    for (const oldest of this.#gives.keys()) {
      this.#gives.delete(oldest);
      return;
    }
  }

  settled(messageId: string): void {
    this.#gives.delete(messageId);
  }
}
