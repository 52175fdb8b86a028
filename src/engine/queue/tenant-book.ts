import type { TenantExplanation } from "../explanation.ts";
import type { HeldMessage } from "./held-message.ts";
import { NO_TENANT } from "./tenant-of.ts";

/** A tenant with messages in hand, or with time that it has had ahead of the others. */
export interface TenantAccount {
  readonly tenant: string;
  readonly weight: number;
  /** In the order of their arrival. */
  readonly waiting: Set<HeldMessage>;
  running: number;
  /** Time that its messages had places for, over its weight; what runs is counted by a guess. */
  servedMs: number;
  /** The part of it that is guessed. */
  guessedMs: number;
  /** What a message of it takes, by those that have ended. */
  messageMs: number;
}

/** Tenants that are told apart at once; those beyond share an account. */
const TENANTS_MAX = 1_024;
/** What the newest batch counts for in the guess of what a message takes. */
const NEWEST_SHARE = 1 / 4;
/** Before any message has ended. */
const FIRST_GUESS_MS = 1;

/**
 * What each tenant has had of the mapping's places: start-time fair queueing (decision 0075). The next message is of
 * the tenant that has had the least for its weight. Who comes anew begins where the others are: idle time is not saved
 * up.
 */
export class TenantBook {
  readonly #weights: Readonly<Record<string, number>>;
  readonly #accounts = new Map<string, TenantAccount>();
  readonly #charges = new Map<HeldMessage, { readonly account: TenantAccount; readonly ms: number }>();
  #messageMs = FIRST_GUESS_MS;
  #active = 0;
  /** Messages that wait or run. */
  #inHand = 0;

  constructor(weights: Readonly<Record<string, number>>) {
    this.#weights = weights;
  }

  /** Tenants with messages that wait. */
  get active(): number {
    return this.#active;
  }

  get accounts(): Iterable<TenantAccount> {
    return this.#accounts.values();
  }

  arrives(held: HeldMessage, tenant: string): TenantAccount {
    const account = this.#accountOf(tenant);
    // plant: a-tenant-saves-up-the-time-in-which-it-has-nothing-to-do
    if (account.waiting.size === 0) account.servedMs = Math.max(account.servedMs, this.#leastServedMs());
    if (account.waiting.size === 0) this.#active++;
    account.waiting.add(held);
    this.#inHand++;
    return account;
  }

  /** It waits no more, and does not run. */
  leaves(held: HeldMessage, account: TenantAccount): void {
    this.#waitsNoMore(held, account);
    this.#inHand--;
    this.#forget(account);
  }

  /** Who is next; of two that have had the same, the one that was seen first. `undefined`: nobody waits. */
  next(): TenantAccount | undefined {
    let least: TenantAccount | undefined;
    for (const account of this.#accounts.values()) {
      if (account.waiting.size === 0) continue;
      // plant: the-tenant-that-was-seen-first-goes-first
      if (least === undefined || account.servedMs < least.servedMs) least = account;
    }
    return least;
  }

  starts(held: HeldMessage, account: TenantAccount): void {
    this.#waitsNoMore(held, account);
    account.running++;
    const ms = account.messageMs;
    // plant: weights-are-not-heeded
    account.servedMs += ms / account.weight;
    account.guessedMs += ms / account.weight;
    this.#charges.set(held, { account, ms });
  }

  /** The guess gives way to what it took, however it ended: each message of the batch had its part of that. */
  ended(batch: readonly HeldMessage[], tookMs: number): void {
    const eachMs = tookMs / batch.length;
    this.#messageMs = moved(this.#messageMs, eachMs);
    const seen = new Set<TenantAccount>();
    for (const held of batch) {
      const charge = this.#charges.get(held);
      if (charge === undefined) continue;
      this.#charges.delete(held);
      const { account, ms } = charge;
      account.running--;
      account.guessedMs -= ms / account.weight;
      this.#inHand--;
      // plant: a-tenant-is-not-charged-for-what-it-took
      account.servedMs += (eachMs - ms) / account.weight;
      seen.add(account);
    }
    for (const account of seen) {
      account.messageMs = moved(account.messageMs, eachMs);
      this.#forget(account);
    }
  }

  explain(max: number): readonly TenantExplanation[] {
    const here = [...this.#accounts.values()].filter(isHere);
    return here
      .toSorted((a, b) => b.waiting.size + b.running - (a.waiting.size + a.running))
      .slice(0, max)
      .map(({ tenant, weight, waiting, running, messageMs }) => ({
        tenant,
        weight,
        waiting: waiting.size,
        running,
        messageMs: Math.round(messageMs),
      }));
  }

  #waitsNoMore(held: HeldMessage, { waiting }: TenantAccount): void {
    waiting.delete(held);
    if (waiting.size === 0) this.#active--;
  }

  #accountOf(tenant: string): TenantAccount {
    const known = this.#accounts.get(tenant);
    if (known !== undefined) return known;
    const isNamed = Object.hasOwn(this.#weights, tenant);
    if (!isNamed && tenant !== NO_TENANT && this.#accounts.size >= TENANTS_MAX) this.#forgetIdle();
    if (!isNamed && tenant !== NO_TENANT && this.#accounts.size >= TENANTS_MAX)
      return this.#accountOf(NO_TENANT);
    const account = {
      tenant,
      weight: isNamed ? (this.#weights[tenant] ?? 1) : 1,
      waiting: new Set<HeldMessage>(),
      running: 0,
      servedMs: 0,
      guessedMs: 0,
      messageMs: this.#messageMs,
    };
    this.#accounts.set(tenant, account);
    return account;
  }

  /** With nothing in hand, and no more than the others have had, it would begin anew as it is. */
  #forget(account: TenantAccount): void {
    if (this.#inHand === 0) this.#accounts.clear();
    if (!isHere(account) && account.servedMs <= this.#leastServedMs()) this.#accounts.delete(account.tenant);
  }

  /** By those with messages in hand, for certain: who comes must not wait for a guess that was too high. */
  #leastServedMs(): number {
    let leastMs = Number.POSITIVE_INFINITY;
    for (const account of this.#accounts.values())
      if (isHere(account)) leastMs = Math.min(leastMs, account.servedMs - account.guessedMs);
    return Number.isFinite(leastMs) ? leastMs : 0;
  }

  #forgetIdle(): void {
    for (const account of [...this.#accounts.values()]) this.#forget(account);
  }
}

function isHere({ waiting, running }: TenantAccount): boolean {
  return waiting.size + running > 0;
}

function moved(fromMs: number, toMs: number): number {
  return fromMs + (toMs - fromMs) * NEWEST_SHARE;
}
