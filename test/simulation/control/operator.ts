import type { SeededRandom } from "../random.ts";
import type { ControlProcess } from "./control-process.ts";
import { MANIFEST_UUIDS } from "./manifest-mappings.ts";
import type { OwnershipJudge } from "./ownership-judge.ts";

const COUNTS = {
  reloads: 0,
  brokenReloads: 0,
  revisions: 0,
  formerRevisions: 0,
  refusedEdits: 0,
  overrides: 0,
};
export type OperatorCounts = typeof COUNTS;

/** An even one has all mappings. */
const FIRST_CONTENT = 2;

/** Deploys manifests, changes files of running processes, and tries what only an owner may do. */
export class Operator {
  readonly counts: OperatorCounts = { ...COUNTS };
  readonly #random: SeededRandom;
  readonly #judge: OwnershipJudge;
  /** Contents, by revision; the last is the newest. */
  readonly #revisions: number[] = [FIRST_CONTENT];
  #contents = FIRST_CONTENT;

  constructor(random: SeededRandom, judge: OwnershipJudge) {
    this.#random = random;
    this.#judge = judge;
  }

  /** What a process starts with: mostly the newest revision, sometimes a new one, sometimes the one before. */
  deploy(mayBeOther: boolean): { readonly content: number; readonly revision: number } {
    if (mayBeOther && this.#random.chance(0.3)) {
      this.counts.revisions++;
      this.#revisions.push(++this.#contents);
    }
    const newest = this.#revisions.length - 1;
    const isFormer = mayBeOther && newest > 0 && this.#random.chance(0.4);
    if (isFormer) this.counts.formerRevisions++;
    const revision = isFormer ? newest - 1 : newest;
    const content = this.#revisions[revision] ?? FIRST_CONTENT;
    this.#judge.give(content, revision);
    return { content, revision };
  }

  act(process: ControlProcess): void {
    const { plane } = process;
    if (plane === undefined) return;
    const uuid = this.#random.pick(MANIFEST_UUIDS);
    const isRefused = () => void this.counts.refusedEdits++;
    switch (this.#random.pick(["reload", "broken", "edit", "delete", "toggle", "toggle", "prune"])) {
      case "reload": {
        const content = ++this.#contents;
        this.#judge.give(content, process.revision);
        this.counts.reloads++;
        process.reload(content).catch(() => undefined);
        break;
      }
      case "broken":
        this.counts.brokenReloads++;
        process.reload(undefined).catch(() => undefined);
        break;
      case "edit":
        plane.mappings.update(uuid, { batchSize: 9_999 }, undefined).catch(isRefused);
        break;
      case "delete":
        plane.mappings.remove(uuid).catch(isRefused);
        break;
      case "toggle": {
        const isOverridden = () => void this.counts.overrides++;
        plane.mappings.update(uuid, {}, this.#random.chance(0.5)).then(isOverridden, () => undefined);
        break;
      }
      case "prune":
        plane.resources.prune({}).catch(() => undefined);
        break;
    }
  }
}
