import type { Patch } from "../planted/planted-bug.ts";

/** A bug of fair lanes that this simulation must see. */
export interface TenantBug {
  readonly name: string;
  /** A violation of any of these must be seen. */
  readonly breaks: readonly string[];
  readonly patches: readonly Patch[];
}

export const TENANT_BUGS: readonly TenantBug[] = [
  bug("the tenant that was seen first goes first", ["F1", "F3"], {
    at: "the-tenant-that-was-seen-first-goes-first",
    instead: "if (least === undefined) least = account;",
  }),
  bug("a tenant saves up the time in which it has nothing to do", ["F1", "F3"], {
    at: "a-tenant-saves-up-the-time-in-which-it-has-nothing-to-do",
    instead: "",
  }),
  bug("a tenant is not charged for what it took", ["F1", "F3"], {
    at: "a-tenant-is-not-charged-for-what-it-took",
    instead: "account.servedMs -= ms / account.weight;",
  }),
  bug("weights are not heeded", ["F1"], {
    at: "weights-are-not-heeded",
    instead: "account.servedMs += ms;",
  }),
  bug("a tenant whose turn is over is left behind", ["F2", "end"], {
    at: "a-tenant-whose-turn-is-over-is-left-behind",
    instead:
      "if (!tenant.batchPerTenant) { const next = this.#book.next(); account = next === account ? undefined : next; }",
  }),
  bug("a flood of one tenant takes the room of all", ["F3"], {
    at: "a-flood-of-one-tenant-takes-the-room-of-all",
    instead: "for (const { waiting } of this.#book.accounts) counted += waiting.size;",
  }),
];

function bug(name: string, breaks: readonly string[], ...patches: readonly Patch[]): TenantBug {
  return { name, breaks, patches };
}
