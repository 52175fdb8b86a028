import type { EnvironmentStanding, EnvironmentWatch } from "../../../src/ports/environment-watch.ts";

/** Counts environments by what is told of them: none is counted twice, or leaves where it was not. */
export class StandingCounts implements EnvironmentWatch {
  readonly #counts = new Map<EnvironmentStanding, number>();
  readonly #violate: (text: string) => void;

  constructor(violate: (text: string) => void) {
    this.#violate = violate;
  }

  get sum(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  opened(): void {}

  closed(): void {}

  moved(from: EnvironmentStanding | undefined, to: EnvironmentStanding | undefined): void {
    if (from !== undefined) this.#add(from, -1);
    if (to !== undefined) this.#add(to, 1);
  }

  started(): void {}

  startFailed(): void {}

  reset(): void {
    if ((this.#counts.get("resetting") ?? 0) < 1) this.#violate("I40: a reset was told of no environment");
  }

  memory(): void {}

  #add(standing: EnvironmentStanding, change: 1 | -1): void {
    const count = (this.#counts.get(standing) ?? 0) + change;
    this.#counts.set(standing, count);
    if (count < 0) this.#violate(`I40: ${count} environments are counted as ${standing}`);
  }
}
