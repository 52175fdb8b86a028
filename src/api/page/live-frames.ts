import type { LiveMapping } from "../../control/live/live-mapping.ts";
import type { LiveView } from "../../control/live/live-view.ts";

/** A frame is at most so long, as far as one mapping leaves it: more follows in the next one. */
const FRAME_CHARS_MAX = 64 * 1024;

export interface LiveFrame {
  /** The first of a view replaces all; the others change what they name. */
  readonly isFull?: true;
  readonly nowMs?: number;
  readonly problem?: string | null;
  readonly processes?: LiveView["processes"];
  readonly mappings?: readonly LiveMapping[];
  /** UUIDs of mappings that are not there any more. */
  readonly gone?: readonly string[];
}

/** What a reader of the stream has, so that it is sent what has changed alone. */
export class LiveFrames {
  readonly #sent = new Map<string, string>();
  #rest = "";
  #isFirst = true;

  /** In the order in which they are to be sent; the first has the time. */
  next({ nowMs, problem, processes, mappings }: LiveView): readonly string[] {
    const changed = mappings.filter((mapping) => this.#isNews(mapping));
    const uuids = new Set(mappings.map(({ uuid }) => uuid));
    const gone = [...this.#sent.keys()].filter((uuid) => !uuids.has(uuid));
    for (const uuid of gone) this.#sent.delete(uuid);
    const rest = JSON.stringify([problem, processes]);
    const head: LiveFrame = {
      ...(this.#isFirst ? { isFull: true } : {}),
      nowMs,
      ...(rest === this.#rest ? {} : { problem: problem ?? null, processes }),
      ...(gone.length === 0 ? {} : { gone }),
    };
    this.#rest = rest;
    this.#isFirst = false;
    const [first = [], ...others] = portions(changed);
    return [{ ...head, mappings: first }, ...others.map((portion) => ({ mappings: portion }))].map((frame) =>
      JSON.stringify(frame),
    );
  }

  #isNews(mapping: LiveMapping): boolean {
    const text = JSON.stringify(mapping);
    if (this.#sent.get(mapping.uuid) === text) return false;
    this.#sent.set(mapping.uuid, text);
    return true;
  }
}

function portions(mappings: readonly LiveMapping[]): LiveMapping[][] {
  const all: LiveMapping[][] = [];
  let chars = Number.POSITIVE_INFINITY;
  for (const mapping of mappings) {
    const { length } = JSON.stringify(mapping);
    if (chars + length > FRAME_CHARS_MAX) {
      all.push([]);
      chars = 0;
    }
    all.at(-1)?.push(mapping);
    chars += length;
  }
  return all;
}
