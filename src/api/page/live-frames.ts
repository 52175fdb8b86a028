import type { LiveMapping } from "../../control/live/live-mapping.ts";
import type { LiveView } from "../../control/live/live-view.ts";

/** A frame is at most so long, as far as one mapping leaves it: what does not fit follows in the next one. */
const FRAME_CHARS_MAX = 64 * 1024;

/** The members of a mapping that are not as they were sent; `null`: it has that one no more. */
type Change = Record<string, unknown> & { readonly uuid: string };

/**
 * What a reader of the stream has, so that it is sent what has changed alone, and never more than a frame at once: a
 * reader that was left out for a while is told how things are, and not all that was in between.
 *
 * A frame has `nowMs`; `isFull` when it is the first, which replaces all; `processes`, `problem` and `loadTests` when
 * one of them has changed; `mappings`, each with its changed members; `gone`, the UUIDs of those that are not there any
 * more.
 */
export class LiveFrames {
  readonly #sent = new Map<string, LiveMapping>();
  #rest = "";
  #isFirst = true;
  /** The mapping that the next frame begins with: every one has its turn. */
  #from = 0;
  #isBehind = false;

  /** Something of the view that was given last has not been sent. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  next({ nowMs, problem, processes, processesLeftOut, loadTests, mappings }: LiveView): string {
    const uuids = new Set(mappings.map(({ uuid }) => uuid));
    const gone = [...this.#sent.keys()].filter((uuid) => !uuids.has(uuid));
    for (const uuid of gone) this.#sent.delete(uuid);
    const around = { problem: problem ?? null, processes, processesLeftOut, loadTests };
    const rest = JSON.stringify(around);
    const head = JSON.stringify({
      ...(this.#isFirst ? { isFull: true } : {}),
      nowMs,
      ...(rest === this.#rest ? {} : around),
      ...(gone.length === 0 ? {} : { gone }),
    });
    this.#rest = rest;
    this.#isFirst = false;
    return `${head.slice(0, -1)},"mappings":[${this.#changes(mappings, head.length).join()}]}`;
  }

  /** Those that need somebody first, then all in turn. */
  #changes(mappings: readonly LiveMapping[], charsBefore: number): readonly string[] {
    const texts: string[] = [];
    let chars = charsBefore;
    this.#isBehind = false;
    const take = (mapping: LiveMapping): boolean => {
      const change = changeOf(this.#sent.get(mapping.uuid), mapping);
      if (change === undefined) return true;
      const text = JSON.stringify(change);
      if (texts.length > 0 && chars + text.length > FRAME_CHARS_MAX) return false;
      texts.push(text);
      chars += text.length + 1;
      this.#sent.set(mapping.uuid, mapping);
      return true;
    };
    const isUrgent = ({ heldUp, problem }: LiveMapping) => heldUp > 0 || problem !== undefined;
    for (const mapping of mappings) {
      if (!isUrgent(mapping) || take(mapping)) continue;
      this.#isBehind = true;
      break;
    }
    for (let step = 0; step < mappings.length && !this.#isBehind; step++) {
      const at = (this.#from + step) % mappings.length;
      const mapping = mappings[at];
      if (mapping === undefined || take(mapping)) continue;
      this.#from = at;
      this.#isBehind = true;
    }
    return texts;
  }
}

/** `undefined`: it is as it was. */
function changeOf(before: LiveMapping | undefined, now: LiveMapping): Change | undefined {
  if (before === undefined) return { ...now };
  const changed = Object.entries(now).filter(([name, value]) => !isSame(Reflect.get(before, name), value));
  const lost = Object.keys(before).filter((name) => !Object.hasOwn(now, name));
  if (changed.length + lost.length === 0) return undefined;
  return { uuid: now.uuid, ...Object.fromEntries([...changed, ...lost.map((name) => [name, null])]) };
}

/** Members are plain values, or flat objects of such. */
function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const members = Object.entries(b);
  return (
    Object.keys(a).length === members.length &&
    members.every(([name, value]) => Reflect.get(a, name) === value)
  );
}
