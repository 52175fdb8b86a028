import type { Lease } from "../../leases/lease.ts";
import type { CheckpointLoop } from "./checkpoint-loop.ts";
import type { StartPermission } from "./shard-context.ts";

/**
 * How far the worker of a shard is on its way. While it drains nothing new starts, and what runs goes on; once it is
 * closed, whatever comes back settles nothing.
 */
export class ShardLife {
  readonly #lease: Lease;
  readonly #stop = new AbortController();
  readonly #calls = new AbortController();
  #state: "running" | "draining" | "closed" = "running";

  constructor(lease: Lease) {
    this.#lease = lease;
  }

  get isRunning(): boolean {
    return this.#state === "running";
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** Aborts when nothing new may start. */
  get stopSignal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Aborts when running calls are given up. */
  get callSignal(): AbortSignal {
    return this.#calls.signal;
  }

  drain(): void {
    this.#state = "draining";
    this.#stop.abort();
  }

  close(): void {
    this.#state = "closed";
    this.#stop.abort();
    this.#calls.abort();
  }

  permission(checkpoints: CheckpointLoop): StartPermission {
    // plant: a-stopped-engine-spins-over-its-retries
    if (this.#state !== "running") return "stop";
    // plant: invocations-start-without-a-live-lease
    if (!this.#lease.isLive) return "leaseless";
    // plant: work-goes-on-while-the-store-takes-no-checkpoints
    return checkpoints.isBehind ? "undurable" : "start";
  }
}
