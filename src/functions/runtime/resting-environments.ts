import type { PooledEnvironment } from "./environment-parts.ts";

/** Environments that could take a call. */
export class RestingEnvironments<E extends PooledEnvironment> {
  /** The last one is used next. */
  readonly #idle: E[] = [];
  /** They were reset, and have no process until a call wants one. */
  readonly #reset: E[] = [];
  /** Started for longer than an init may take, and for nobody yet. */
  readonly #late = new Set<E>();

  get size(): number {
    return this.#idle.length + this.#reset.length;
  }

  get hasReset(): boolean {
    return this.#reset.length > 0;
  }

  add(environment: E): void {
    this.#late.delete(environment);
    (environment.state.name === "new" ? this.#reset : this.#idle).push(environment);
  }

  addLate(environment: E): void {
    this.#late.add(environment);
  }

  /** The one that was used last, or one that has started for nobody. */
  take(): E | undefined {
    // plant: the-environment-that-rested-longest-is-used-first
    const environment = this.#idle.at(-1);
    if (environment !== undefined) {
      if (roomOf(environment) <= 1) this.#idle.pop();
      return environment;
    }
    const [late] = this.#late;
    if (late !== undefined) this.#late.delete(late);
    return late;
  }

  /** One whose process has to start, and that keeps its folder. */
  takeReset(): E | undefined {
    return this.#reset.pop();
  }

  remove(environment: E): void {
    this.#late.delete(environment);
    for (const list of [this.#idle, this.#reset]) {
      const index = list.indexOf(environment);
      if (index >= 0) list.splice(index, 1);
    }
  }

  /** Takes out what is born or rests since before then; of what is unused `spare` at most. */
  takeOld(bornMs: number, restingMs: number, spare: number): readonly E[] {
    let left = spare;
    const old = [...this.#reset, ...this.#idle].filter((environment) => {
      if (environment.state.name === "busy") return false;
      const isOld = environment.bornMs <= bornMs || (environment.restingSinceMs <= restingMs && left > 0);
      if (isOld) left -= 1;
      return isOld;
    });
    for (const environment of old) this.remove(environment);
    return old;
  }
}

/** Calls that it could take. */
function roomOf({ state }: PooledEnvironment): number {
  return "held" in state ? state.held : 0;
}
