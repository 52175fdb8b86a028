import { assertInvariant } from "../../model/errors.ts";
import type { TenantSettings } from "../../model/tenant-settings.ts";
import type { Clock } from "../../ports/clock.ts";
import type { QueueEvents } from "../../ports/queue-source.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { TenantsExplanation } from "../explanation.ts";
import type { HeldMessage } from "./held-message.ts";
import { type TenantAccount, TenantBook } from "./tenant-book.ts";
import { tenantReader } from "./tenant-of.ts";
import type { BatchLimits, WaitingMessages } from "./waiting-messages.ts";

export interface TenantBufferOptions extends BatchLimits {
  readonly tenant: TenantSettings;
  readonly mapping: string;
  readonly events: QueueEvents;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/**
 * A tenant's messages count against the room of a receive up to its share of half of that. The other half is for those
 * of whom nothing was seen yet.
 */
const SHARED_ROOM = 1 / 2;
/** So far a flood is read past: in rooms, and in messages. What is in hand has a hold to be kept. */
const ROOMS_MAX = 10;
const READ_PAST_MAX = 10_000;

/**
 * Messages of a queue without order that wait for a batch, dealt out fairly over their tenants: who sends a flood waits
 * behind his own messages, and nobody else does (decision 0075).
 */
export class TenantBuffer implements WaitingMessages {
  readonly #options: TenantBufferOptions;
  readonly #tenantOf: ReturnType<typeof tenantReader>;
  readonly #waiting = new Map<HeldMessage, TenantAccount>();
  readonly #book: TenantBook;
  #bytes = 0;

  constructor(options: TenantBufferOptions) {
    this.#options = options;
    this.#tenantOf = tenantReader(options.tenant.by, options.events);
    this.#book = new TenantBook(options.tenant.weights);
  }

  get size(): number {
    return this.#waiting.size;
  }

  get messages(): readonly HeldMessage[] {
    return [...this.#waiting.keys()];
  }

  get oldestMs(): number | undefined {
    // Whose turn it is has the window, where batches are of one tenant.
    const isApart = this.#options.tenant.batchPerTenant;
    const [oldest] = (isApart ? this.#book.next()?.waiting : this.#waiting.keys()) ?? [];
    return oldest?.receivedMs;
  }

  get isFull(): boolean {
    const { batchSize, payloadBytesMax, envelopeBytes, tenant } = this.#options;
    if (!tenant.batchPerTenant)
      return this.#waiting.size >= batchSize || envelopeBytes + this.#bytes - 1 > payloadBytesMax;
    return (this.#book.next()?.waiting.size ?? 0) >= batchSize;
  }

  groups(): readonly [] {
    return [];
  }

  explainTenants(max: number): TenantsExplanation {
    return { active: this.#book.active, most: this.#book.explain(max) };
  }

  sizeWithin(room: number): number {
    if (this.size >= Math.max(room, Math.min(room * ROOMS_MAX, READ_PAST_MAX))) return this.size;
    const share = Math.max(1, Math.floor((room * SHARED_ROOM) / Math.max(1, this.#book.active)));
    let counted = 0;
    // plant: a-flood-of-one-tenant-takes-the-room-of-all
    for (const { waiting } of this.#book.accounts) counted += Math.min(waiting.size, share);
    return counted;
  }

  add(held: HeldMessage): void {
    this.#waiting.set(held, this.#book.arrives(held, this.#tenantOf(held.message)));
    this.#bytes += held.message.encodedBytes + 1;
    this.#gauge();
  }

  take(): readonly HeldMessage[] {
    const { batchSize, payloadBytesMax, envelopeBytes, tenant } = this.#options;
    const batch: HeldMessage[] = [];
    let bytes = envelopeBytes;
    let account = this.#book.next();
    while (account !== undefined && batch.length < batchSize) {
      const [held] = account.waiting;
      if (held === undefined) break;
      const withIt = bytes + held.message.encodedBytes + (batch.length === 0 ? 0 : 1);
      if (batch.length > 0 && withIt > payloadBytesMax) break;
      bytes = withIt;
      this.#start(held, account);
      batch.push(held);
      // plant: a-tenant-whose-turn-is-over-is-left-behind
      if (!tenant.batchPerTenant) account = this.#book.next();
    }
    this.#gauge();
    return batch;
  }

  ended(batch: readonly HeldMessage[], tookMs: number): void {
    this.#book.ended(batch, tookMs);
  }

  takeGroups(): readonly [] {
    return [];
  }

  remove(gone: readonly HeldMessage[]): void {
    for (const held of gone) {
      const account = this.#waiting.get(held);
      if (account === undefined) continue;
      this.#hasLeft(held);
      this.#book.leaves(held, account);
    }
    this.#gauge();
  }

  #start(held: HeldMessage, account: TenantAccount): void {
    const { clock, telemetry, mapping } = this.#options;
    const isNoisy = account.waiting.size * this.#book.active > this.size;
    const name = isNoisy ? "noisy_tenant_dwell_seconds" : "quiet_tenant_dwell_seconds";
    telemetry.observe(name, mapping, (clock.monotonic() - held.receivedMs) / 1_000);
    this.#hasLeft(held);
    this.#book.starts(held, account);
  }

  #hasLeft(held: HeldMessage): void {
    this.#waiting.delete(held);
    this.#bytes -= held.message.encodedBytes + 1;
    assertInvariant(this.#waiting.size > 0 || this.#bytes === 0, "Messages are counted that do not wait");
  }

  #gauge(): void {
    this.#options.telemetry.gauge("active_tenants", this.#options.mapping, this.#book.active);
  }
}
