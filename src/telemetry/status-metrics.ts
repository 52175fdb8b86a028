import { Gauge, type Registry } from "prom-client";

/** What metrics show of a mapping's status. */
export interface WatchedMapping {
  readonly name: string;
  readonly state: string;
  readonly oldestAgeMs: number;
  readonly standstills?: readonly { readonly reason: string; readonly seconds: number }[];
  readonly shards: readonly { readonly shardId: string; readonly oldestAgeMs: number }[];
}

export type StatusReader = () => readonly WatchedMapping[];

/** By kind: resources that are not as their owners declared them. */
export type DriftReader = () => ReadonlyMap<string, number>;

const STATES = ["Creating", "Enabled", "Disabling", "Disabled", "Failed"];
/** Series of one mapping: a stream of thousands of shards shows its worst in the mapping's own gauge. */
export const SHARD_SERIES_MAX = 256;

/**
 * Gauges that are asked for at every scrape, and cost nothing between: an age grows while nothing happens, which is
 * when it matters.
 */
export function addStatusMetrics(registry: Registry, read: StatusReader): void {
  new Gauge({
    name: "millrace_lag_seconds",
    help: "Age of the oldest record that this process knows of and has not settled; 0: there is none.",
    labelNames: ["mapping"] as const,
    registers: [registry],
    aggregator: "max",
    collect() {
      this.reset();
      for (const { name, oldestAgeMs } of read()) this.set({ mapping: name }, oldestAgeMs / 1000);
    },
  });
  new Gauge({
    name: "millrace_shard_lag_seconds",
    help: `The same of each shard that this process reads, of at most ${SHARD_SERIES_MAX} shards of a mapping.`,
    labelNames: ["mapping", "shard"] as const,
    registers: [registry],
    aggregator: "max",
    collect() {
      this.reset();
      for (const { name, shards } of read()) {
        for (const { shardId, oldestAgeMs } of shards.slice(0, SHARD_SERIES_MAX)) {
          this.set({ mapping: name, shard: shardId }, oldestAgeMs / 1000);
        }
      }
    },
  });
  new Gauge({
    name: "millrace_standstill_seconds",
    help: "How long a part of the mapping has held work and brought nothing to an end, by the reason; absent: none has for half a minute.",
    labelNames: ["mapping", "reason"] as const,
    registers: [registry],
    aggregator: "max",
    collect() {
      this.reset();
      for (const { name, standstills } of read()) {
        for (const { reason, seconds } of standstills ?? []) this.set({ mapping: name, reason }, seconds);
      }
    },
  });
  new Gauge({
    name: "millrace_mapping_state",
    help: "1 for the state that the mapping is in, in this process.",
    labelNames: ["mapping", "state"] as const,
    registers: [registry],
    aggregator: "max",
    collect() {
      this.reset();
      for (const { name, state } of read()) {
        for (const known of STATES) this.set({ mapping: name, state: known }, known === state ? 1 : 0);
      }
    },
  });
}

/** All processes of a store see the same rows. */
export function addDriftMetric(registry: Registry, read: DriftReader): void {
  new Gauge({
    name: "millrace_resources_drifted",
    help: "Resources that are not as their owners declared them: set by the API beside their owner, or orphaned.",
    labelNames: ["kind"] as const,
    registers: [registry],
    aggregator: "max",
    collect() {
      this.reset();
      for (const [kind, count] of read()) this.set({ kind }, count);
    },
  });
}
