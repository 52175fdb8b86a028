import { isDeepStrictEqual } from "node:util";
import { isOrphaned, type ResourceDocument, readDocument } from "../../../src/resources/document.ts";
import type { ManifestOwner } from "../../../src/resources/owner.ts";
import { CHANGING, COMING, hasComing, MANIFEST_UUIDS } from "./manifest-mappings.ts";

export interface OwnershipCounts {
  changedByOwner: number;
  overridesKept: number;
  orphaned: number;
  unchangedRuns: number;
}

/**
 * What every write of a row may change, whoever makes it: what is declared by its owner only, and by no lower revision
 * (I41); what runs only where another content says it otherwise (I42). Contents are numbers that stand in what they
 * declare, so a row tells whose words it holds.
 */
export class OwnershipJudge {
  readonly counts: OwnershipCounts = {
    changedByOwner: 0,
    overridesKept: 0,
    orphaned: 0,
    unchangedRuns: 0,
  };
  /** Revisions under which a content was given to a process. */
  readonly #given = new Map<number, Set<number>>();
  readonly #rows = new Map<string, ResourceDocument>();
  readonly #violated: (what: string) => void;

  constructor(violated: (what: string) => void) {
    this.#violated = violated;
  }

  give(content: number, revision: number): void {
    this.#given.set(content, (this.#given.get(content) ?? new Set()).add(revision));
  }

  orphanOf(uuid: string): ManifestOwner | undefined {
    const document = this.#rows.get(uuid);
    return document?.owner.kind === "manifest" && isOrphaned(document) ? document.owner : undefined;
  }

  note(uuid: string, text: string | undefined): void {
    const [before, after] = [this.#rows.get(uuid), text === undefined ? undefined : readDocument(text)];
    if (after === undefined) this.#rows.delete(uuid);
    else this.#rows.set(uuid, after);
    if (before === undefined) {
      if (after?.owner.kind === "manifest") this.#judgeContent(uuid, after, after.owner);
      return;
    }
    if (after === undefined) {
      const isPruned = before.transition === "Deleting" && isOrphaned(before);
      if (before.owner.kind === "manifest" && !isPruned) this.#violated(`${uuid} of a manifest is removed`);
      return;
    }
    if (before.owner.kind !== "manifest") {
      if (after.owner.kind !== before.owner.kind) this.#violated(`${uuid} is taken from the API`);
      return;
    }
    if (after.owner.kind === "manifest")
      this.#judgeChange(uuid, [before, before.owner], [after, after.owner]);
    else this.#violated(`${uuid} is taken from its manifests`);
  }

  #judgeChange(
    uuid: string,
    [before, formerOwner]: readonly [ResourceDocument, ManifestOwner],
    [after, owner]: readonly [ResourceDocument, ManifestOwner],
  ): void {
    const [former = 0, revision = 0] = [formerOwner.revision, owner.revision];
    if (revision < former) this.#violated(`${uuid} goes back from revision ${former} to ${revision}`);
    const [was, is] = [before.overrides?.["enabled"], after.overrides?.["enabled"]];
    const isApplied = before.setDigest !== after.setDigest || revision !== former;
    if (was !== undefined && isApplied && isOrphaned(before) === isOrphaned(after)) {
      // No content says Enabled otherwise than another.
      if (is === was) this.counts.overridesKept++;
      else this.#violated(`${uuid} loses what the API set, as its manifests are applied`);
    }
    if (!isOrphaned(before) && isOrphaned(after)) this.counts.orphaned++;
    const isChanged = !isDeepStrictEqual(before.spec, after.spec);
    if (isChanged) this.counts.changedByOwner++;
    if (isChanged || (isOrphaned(before) && !isOrphaned(after))) this.#judgeContent(uuid, after, owner);
    const [formerRun, run] = [runOf(before), runOf(after)];
    if (isDeepStrictEqual(formerRun, run)) {
      if (isChanged) this.counts.unchangedRuns++;
      if (before.generation !== after.generation)
        this.#violated(`${uuid} is to run anew, and says the same as before`);
    }
  }

  /** What a row declares was said by manifests of its owner's revision. */
  #judgeContent(uuid: string, { spec }: ResourceDocument, { revision = 0 }: ManifestOwner): void {
    const tags: unknown = spec["tags"];
    const content = Number(
      typeof tags === "object" && tags !== null && "content" in tags ? tags.content : NaN,
    );
    if (this.#given.get(content)?.has(revision) !== true)
      this.#violated(`${uuid} says what no manifest of revision ${revision} says`);
    if (!MANIFEST_UUIDS.includes(uuid)) this.#violated(`${uuid} is in no manifest`);
    if (uuid === CHANGING && spec["batchSize"] !== content)
      this.#violated(`${uuid} is edited beside its owner`);
    if (uuid !== CHANGING && spec["batchSize"] !== undefined)
      this.#violated(`${uuid} is edited beside its owner`);
    if (uuid === COMING && !hasComing(content)) this.#violated(`${uuid} is in no manifest of this content`);
  }
}

function runOf({ spec: { tags: _tags, enabled: _enabled, ...run } }: ResourceDocument): object {
  return run;
}
