import { describeError } from "../../model/errors.ts";
import type { Clock, ScheduledCall } from "../../ports/clock.ts";
import type { PackageFolders } from "../../ports/package-folders.ts";
import type { PackageStore, StoredPackage } from "../../ports/package-store.ts";
import type { Telemetry } from "../../ports/telemetry.ts";

/** Where packages are kept, and where this host runs them. */
export interface PackageParts {
  /** Takes archives that were checked. `undefined`: none that all processes of the store share. */
  readonly store: PackageStore | undefined;
  readonly folders: PackageFolders;
  /** Keeps what a folder or zip of this host has now. `undefined`: hosts of the store share no place for it. */
  readonly keep: KeepCode | undefined;
}

export type KeepCode = (path: string) => Promise<StoredPackage>;

/** Well below the time that an unneeded package is kept: who runs one says so before others remove it. */
const SWEEP_MS = 3_600_000;

/** Removes packages that nothing names any more, once an hour. */
export class PackageSweep {
  readonly #parts: Pick<PackageParts, "store" | "folders">;
  readonly #needed: () => Promise<ReadonlySet<string>>;
  readonly #clock: Clock;
  readonly #telemetry: Pick<Telemetry, "log">;
  #timer: ScheduledCall | undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(
    parts: Pick<PackageParts, "store" | "folders">,
    needed: () => Promise<ReadonlySet<string>>,
    { clock, telemetry }: { readonly clock: Clock; readonly telemetry: Pick<Telemetry, "log"> },
  ) {
    this.#parts = parts;
    this.#needed = needed;
    this.#clock = clock;
    this.#telemetry = telemetry;
  }

  start(): void {
    if (this.#isStopped) return;
    this.#timer = this.#clock.schedule(SWEEP_MS, () => {
      this.#sweeping = this.#sweep().finally(() => this.start());
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#sweeping;
  }

  async #sweep(): Promise<void> {
    const { store, folders } = this.#parts;
    try {
      const needed = await this.#needed();
      const nowMs = this.#clock.now();
      const removed = [
        ...(await folders.sweep(needed, nowMs)),
        ...((await store?.sweep(needed, nowMs)) ?? []),
      ];
      if (removed.length > 0)
        this.#telemetry.log("info", "packages removed that no function names", { packages: removed.length });
    } catch (error) {
      const message = "packages that no function names could not be removed; it is tried again in an hour";
      this.#telemetry.log("warn", message, { error: describeError(error) });
    }
  }
}
