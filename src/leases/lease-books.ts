import type { LeaseTimes } from "./lease.ts";
import { LeaseBook } from "./lease-book.ts";

/**
 * What a process has seen of the leases of each mapping, for as long as the mapping goes on in it. Who works under
 * leases begins anew with each change of a configuration; without what was seen before, each change would put off when
 * the lease of an owner who is gone may be taken.
 */
export class LeaseBooks {
  readonly #owner: string;
  readonly #times: LeaseTimes;
  readonly #books = new Map<string, LeaseBook>();

  constructor(owner: string, times: LeaseTimes) {
    this.#owner = owner;
    this.#times = times;
  }

  of(mappingUuid: string): LeaseBook {
    const known = this.#books.get(mappingUuid);
    if (known !== undefined) return known;
    const book = new LeaseBook(this.#owner, this.#times);
    this.#books.set(mappingUuid, book);
    return book;
  }

  /** The mapping does not go on here. */
  forget(mappingUuid: string): void {
    this.#books.delete(mappingUuid);
  }
}
