import { bug, type PlantedBug, QUEUE, STREAM } from "./planted-bug.ts";

/** Work that nobody goes on with, and that nobody can say a reason for. */
export const STANDSTILL_BUGS: readonly PlantedBug[] = [
  bug("a lane forgets to wake up for the batch that it fills", ["I24", "I13", "I16"], {
    file: `${STREAM}/lane.ts`,
    find: "this.#timer = this.#context.clock.schedule(dueInMs, () => this.poke());",
    replace: "this.#timer = this.#context.clock.schedule(dueInMs, () => {});",
  }),
  bug("a reader ends at its first failure, and notes nothing", ["I24"], {
    file: `${STREAM}/read-loop.ts`,
    find: "options.onFailure(error, clock.monotonic() - askedMs);\n",
    replace: "return;\n",
  }),
  bug("a queue's receiver forgets to wake up after an outage", ["I24"], {
    file: `${QUEUE}/receiver.ts`,
    find: "this.#retry = this.#options.clock.schedule(inMs, () => this.#options.onReady());",
    replace: "this.#retry = this.#options.clock.schedule(inMs, () => {});",
  }),
];
