import { bug, type PlantedBug } from "./planted-bug.ts";

/** Keys that go to the wrong version while an alias brings a new one in, or out of their order. */
export const SIDE_BUGS: readonly PlantedBug[] = [
  bug("keys are not dealt out to sides", ["I38"], {
    at: "keys-are-not-dealt-out-to-sides",
    instead: "for (let side = this.sides - 1; ; side++) if (place < (this.#ends[side] ?? 1)) return side;",
  }),
  bug("the place of a key is not of its alias alone", ["I38"], {
    at: "the-place-of-a-key-is-not-of-its-alias-alone",
    instead: "return spread(hashed(this.#seed, this.#ends[0] + key)) * GRAIN;",
  }),
  bug("records stay on their side when weights change", ["I38"], {
    at: "records-stay-on-their-side-when-weights-change",
    instead:
      "if (wanted === this.#split || (wanted !== undefined && this.#split !== undefined)) return false;",
  }),
  bug("keys move while their batches run", ["I39"], {
    at: "keys-move-while-their-batches-run",
    instead: "if (this.running > 1e6) {",
  }),
  bug("records that move lose their order", ["I39"], {
    at: "records-that-move-lose-their-order",
    instead: "waiting.sort((a, b) => b.ordinal - a.ordinal);",
  }),
  bug("a batch of one side goes by its request id", ["I38"], {
    at: "a-batch-of-one-side-goes-by-its-request-id",
    instead: "",
  }),
  bug("a window goes to two versions", ["I38"], {
    at: "a-window-goes-to-two-versions",
    instead: "routingKey,",
  }),
  bug("a batch has groups of two sides", ["I38"], {
    at: "a-batch-has-groups-of-two-sides",
    lines: 4,
    instead: "",
  }),
];
