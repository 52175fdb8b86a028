import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { GROUP_TIMES } from "../../../connectors/kafka/group-times.ts";
import { DEFAULT_SETTINGS } from "../../../src/engine/settings.ts";
import { LeaseHolder, type Tenant } from "../../../src/leases/lease-holder.ts";
import { RepeatedLines } from "../../../src/lib/repeated-lines.ts";
import { initialCheckpoint } from "../../../src/model/checkpoint.ts";
import type { ProgressStore } from "../../../src/ports/progress-store.ts";
import { createMemoryStore } from "../../../src/stores/memory.ts";
import { ManualClock, SILENT_TELEMETRY } from "../engine/stream/small-world.ts";

const MAPPING = "mapping";
const TIMES = { leaseDurationMs: 10_000, leaseRenewalMs: 1_000 };

/** Processes that hold leases of the same shards. */
class Holders {
  readonly clock = new ManualClock();
  readonly store = createMemoryStore();
  readonly told: string[] = [];
  readonly counts = new Map<string, number>();
  readonly lines: string[] = [];
  /** Owners whose calls of this name do as it says. */
  readonly detours = new Map<string, () => Promise<never>>();
  /** Owners whose looks wait. */
  readonly waits = new Map<string, Promise<void>>();

  static async of(...shardIds: readonly string[]): Promise<Holders> {
    const holders = new Holders();
    const shards = shardIds.map((shardId) => ({
      shard: { shardId, parentShardIds: [], closed: false },
      checkpoint: initialCheckpoint({ kind: "oldest" }),
    }));
    await holders.store.initialise(MAPPING, shards);
    return holders;
  }

  join(
    owner: string,
    onWanted: (holder: LeaseHolder<Tenant>, tenant: Tenant) => void = () => {},
    settings = TIMES,
    sessionMs?: number,
  ) {
    const telemetry = {
      ...SILENT_TELEMETRY,
      count: (name: string, _mapping: string, by: number) => {
        this.counts.set(name, (this.counts.get(name) ?? 0) + by);
      },
      log: (_level: string, message: string) => void this.lines.push(message),
    };
    const holder: LeaseHolder<Tenant> = new LeaseHolder<Tenant>({
      mappingUuid: MAPPING,
      mapping: MAPPING,
      owner,
      store: this.#storeOf(owner, sessionMs),
      clock: this.clock,
      telemetry,
      lines: new RepeatedLines(this.clock, telemetry),
      settings,
      isDividedByBroker: false,
      takenOver: "lease taken over",
      look: async () => {
        await holder.renewAll();
        await this.waits.get(owner);
        const rows = await this.store.list(MAPPING);
        if (holder.stopSignal.aborted) return;
        await holder.take(holder.plan(rows, rows)).catch(() => this.told.push(`a look of ${owner} failed`));
      },
      begin: (lease) => ({ lease }),
      onWanted: (tenant, claimant) => {
        this.told.push(`${claimant} asks ${owner}`);
        onWanted(holder, tenant);
      },
      onLost: ({ lease }) => void this.told.push(`${owner} lost ${lease.shardId}`),
      onRenewal: () => undefined,
    });
    holder.start();
    return holder;
  }

  #storeOf(owner: string, sessionMs: number | undefined): ProgressStore {
    return new Proxy(this.store, {
      get: (store, name) => {
        if (name === "sessionMs") return sessionMs;
        const detour = this.detours.get(`${owner} ${String(name)}`);
        const member: unknown = Reflect.get(store, name);
        return detour ?? (typeof member === "function" ? member.bind(store) : member);
      },
    });
  }

  async ownerOf(shardId: string): Promise<string | undefined> {
    return (await this.store.list(MAPPING)).find((row) => row.shardId === shardId)?.owner;
  }
}

const refused = () => Promise.reject(new Error("refused"));

describe("lease holder", () => {
  test("takes what is free, and keeps it however long a look takes", async () => {
    const holders = await Holders.of("a");
    const one = holders.join("one");
    await holders.clock.advance(1);
    assert.equal(one.size, 1);
    const look = Promise.withResolvers<void>();
    holders.waits.set("one", look.promise);
    await holders.clock.advance(60_000);
    assert.equal(one.tenantOf("a")?.lease.isLive, true);
    assert.equal(await holders.ownerOf("a"), "one");
    look.resolve();
    await Promise.all([one.end(), holders.clock.advance(1)]);
  });

  test("nothing may start under a lease a tenth of its time before others may take it", async () => {
    const holders = await Holders.of("a");
    const one = holders.join("one");
    await holders.clock.advance(1);
    holders.detours.set("one renew", refused);
    const lease = one.tenantOf("a")?.lease;
    await holders.clock.advance(8_998);
    assert.equal(lease?.isLive, true);
    await holders.clock.advance(2);
    assert.equal(lease?.isLive, false);
    await holders.clock.advance(2_000);
    assert.equal(holders.counts.get("leases_expired"), 1, "counted once");
    assert.deepEqual(holders.lines, Array(3).fill("a lease could not be renewed; trying again"));
  });

  test("who has more is asked, and gives back when its work allows it; nothing is lost by that", async () => {
    const holders = await Holders.of("a", "b");
    const one = holders.join("one", (holder, tenant) => void holder.give(tenant));
    await holders.clock.advance(1);
    assert.equal(one.size, 2);
    const two = holders.join("two");
    await holders.clock.advance(5_000);
    assert.deepEqual([one.size, two.size], [1, 1]);
    assert.deepEqual(holders.told, ["two asks one"]);
    assert.equal(holders.counts.get("leases_lost"), undefined);
  });

  test("what another owner has taken is lost, and is told once", async () => {
    const holders = await Holders.of("a");
    const one = holders.join("one");
    await holders.clock.advance(1);
    const [row] = await holders.store.list(MAPPING);
    assert.ok(row !== undefined);
    await holders.store.acquire(MAPPING, "a", "two", row);
    await holders.clock.advance(3_000);
    assert.deepEqual([one.size, holders.told], [0, ["one lost a"]]);
    assert.equal(holders.counts.get("leases_lost"), 1);
  });

  test("of what is being given back it is not told that others have it", async () => {
    const holders = await Holders.of("a");
    const one = holders.join("one");
    await holders.clock.advance(1);
    const tenant = one.tenantOf("a");
    const [row] = await holders.store.list(MAPPING);
    assert.ok(row !== undefined && tenant !== undefined);
    tenant.lease.isEnding = true;
    await holders.store.acquire(MAPPING, "a", "two", row);
    await holders.clock.advance(3_000);
    await one.give(tenant);
    assert.deepEqual([one.size, holders.told], [0, []]);
    assert.equal(await holders.ownerOf("a"), "two");
  });

  test("a lease whose answer comes after the stop is given back, and nobody is asked for one", async () => {
    const holders = await Holders.of("a");
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const { store } = holders;
    const acquire: ProgressStore["acquire"] = async (...args) => {
      asked.resolve();
      const taken = await store.acquire(...args);
      await answer.promise;
      return taken;
    };
    holders.detours.set("one acquire", acquire as () => Promise<never>);
    const one = holders.join("one");
    await asked.promise;
    one.stop();
    assert.equal(await holders.ownerOf("a"), "one");
    answer.resolve();
    await Promise.all([one.end(), holders.clock.advance(1)]);
    assert.equal(one.size, 0);
    assert.equal(await holders.ownerOf("a"), undefined);
  });

  test("a look that fails for one lease waits for the others: none is taken twice", async () => {
    const holders = await Holders.of("a", "b");
    const answer = Promise.withResolvers<void>();
    const { store } = holders;
    let asked = 0;
    const acquire: ProgressStore["acquire"] = async (mapping, shardId, owner, seen) => {
      if (shardId === "a") throw new Error("refused");
      asked++;
      const taken = await store.acquire(mapping, shardId, owner, seen);
      await answer.promise;
      return taken;
    };
    holders.detours.set("one acquire", acquire as () => Promise<never>);
    const one = holders.join("one");
    // Looks are due all the while, and the row has our name by now.
    await holders.clock.advance(5_000);
    assert.deepEqual([asked, one.size, holders.told], [1, 0, []]);
    answer.resolve();
    await holders.clock.advance(1);
    assert.deepEqual([asked, one.size, holders.told], [1, 1, ["a look of one failed"]]);
    assert.equal(one.tenantOf("b")?.lease.held.epoch, 1);
    await Promise.all([one.end(), holders.clock.advance(1)]);
  });

  test("a lease that two failed renewals would cost, or that a broker gives away sooner, is a defect", async () => {
    const holders = await Holders.of("a");
    const join = (times: Partial<typeof TIMES>, sessionMs?: number) =>
      holders.join("one", undefined, { ...TIMES, ...times }, sessionMs);
    assert.throws(() => join({ leaseRenewalMs: 3_334 }), { code: "ERR_MILLRACE_INVARIANT" });
    assert.throws(() => join({}, 9_999), { code: "ERR_MILLRACE_INVARIANT" });
    await Promise.all([join({}, 10_000).end(), holders.clock.advance(1)]);
    assert.ok(GROUP_TIMES.sessionTimeoutMs >= DEFAULT_SETTINGS.leaseDurationMs);
  });

  test("once it is abandoned it writes nothing: the lease runs out by itself", async () => {
    const holders = await Holders.of("a");
    const one = holders.join("one");
    await holders.clock.advance(1);
    const tenant = one.tenantOf("a");
    assert.ok(tenant !== undefined);
    await Promise.all([one.end(), holders.clock.advance(1)]);
    one.abandon();
    await one.give(tenant);
    assert.equal(await holders.ownerOf("a"), "one");
    assert.equal(holders.clock.pendingCalls, 0, "no timer is left");
  });
});
