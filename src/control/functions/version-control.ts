import { isDeepStrictEqual } from "node:util";
import { VERSION_KIND } from "../../resources/kinds.ts";
import { versionSpecOf } from "../function-rows.ts";
import {
  beingChanged,
  changedMeanwhile,
  conflict,
  invalid,
  noFunction,
  overtaken,
  staleRevision,
} from "./function-faults.ts";
import { membersOf, publishedFieldsOf, storedCodeOf } from "./function-fields.ts";
import {
  type FunctionView,
  type IsBehind,
  isBeingChanged,
  LATEST,
  latestView,
  versionView,
} from "./function-view.ts";
import type { FunctionWriter } from "./function-writer.ts";
import { type KeptFunction, revisionIdOf } from "./kept-functions.ts";

export interface GivenVersion {
  readonly description?: string | undefined;
  /** The base64 of the code that the caller means. */
  readonly codeSha256?: string | undefined;
  readonly revisionId?: string | undefined;
  /** What the caller wrote itself: nothing else is published. */
  readonly generation?: number | undefined;
}

const VERSIONS_MAX = 1_000;
const TRIES_MAX = 10;

/** Published versions: copies of a function's row that nobody changes (invocation §10). */
export class VersionControl {
  readonly #writer: FunctionWriter;
  readonly #isBehind: IsBehind;

  constructor(writer: FunctionWriter, isBehind: IsBehind) {
    this.#writer = writer;
    this.#isBehind = isBehind;
  }

  /** `$LATEST` first. */
  async list(name: string): Promise<readonly FunctionView[]> {
    const fn = await this.#writer.kept(name);
    const numbers = [...fn.versions.keys()];
    const versions = numbers.flatMap((number) => versionView(fn, number, this.#isBehind) ?? []);
    return [latestView(fn, this.#isBehind), ...versions];
  }

  /**
   * First the version, by a name that only one can have, then the function's count of them. A death in between is
   * healed by who publishes next: it meets a version of the same content, which is its answer, or goes on behind it.
   */
  async publish(name: string, given: GivenVersion): Promise<FunctionView> {
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      const fn = await this.#writer.own(name);
      this.#check(fn, given);
      const { lastVersion, isUnpublished } = membersOf(fn.document);
      const last = versionView(fn, String(lastVersion), this.#isBehind);
      if (!isUnpublished && last !== undefined) return last;
      if (fn.versions.size >= VERSIONS_MAX)
        throw invalid(`The function has ${VERSIONS_MAX} versions, which is the most. Delete old ones.`);
      const number = await this.#insert(fn, given.description);
      await this.#count(name, fn, number);
      const published = versionView(await this.#writer.kept(name), String(number), this.#isBehind);
      if (published !== undefined) return published;
    }
    throw changedMeanwhile();
  }

  #check(fn: KeptFunction, { codeSha256, revisionId, generation }: GivenVersion): void {
    if (generation !== undefined && generation !== fn.document.generation) throw overtaken(fn.name);
    if (revisionId !== undefined && revisionId !== revisionIdOf(fn.row)) throw staleRevision();
    // What the caller has just written itself is published at once.
    if (generation === undefined && isBeingChanged(fn, this.#isBehind))
      throw beingChanged(fn.name, fn.document.generation === 1, this.#writer.options.place);
    const hex = storedCodeOf(fn.document.spec)?.sha256 ?? "";
    const current = Buffer.from(hex, "hex").toString("base64");
    if (codeSha256 === undefined || codeSha256 === current) return;
    throw invalid(
      `CodeSHA256 (${codeSha256.slice(0, 100)}) is different from current CodeSHA256 in $LATEST (${current}). Please try again with the CodeSHA256 in $LATEST.`,
    );
  }

  /** Resolves to its number. */
  async #insert(fn: KeptFunction, description: string | undefined): Promise<number> {
    const { document } = fn;
    const members = membersOf(document);
    // Who may call the function is said of each version anew.
    const { policy: _own, ...copied } = document.members ?? {};
    const version = {
      spec: publishedFieldsOf(document.spec),
      members: {
        ...copied,
        description: description ?? members.description,
        timeoutSeconds: fn.resource.timeoutMs / 1000,
      },
      owner: document.owner,
      generation: 1,
      conditions: [],
      lastModifiedMs: this.#writer.options.clock.now(),
    };
    const { timeoutSeconds } = version.members;
    const contentOf = (of: Parameters<typeof versionSpecOf>[0]) => ({ timeoutSeconds, ...versionSpecOf(of) });
    for (let number = members.lastVersion + 1; ; number++) {
      // Who publishes at the same moment, or died in the middle of it, has the number: it may mean the same.
      if (await this.#writer.insert(VERSION_KIND, `${fn.name}:${number}`, version)) return number;
      const met = (await this.#writer.own(fn.name)).versions.get(String(number));
      // plant: a-publish-that-died-is-published-twice
      if (met !== undefined && isDeepStrictEqual(contentOf(met.document), contentOf(version))) return number;
    }
  }

  /** Only of what was published: a change that came meanwhile is still to be. */
  async #count(name: string, published: KeptFunction, number: number): Promise<void> {
    await this.#writer.change(
      name,
      (fn) => fn,
      undefined,
      (document, fn) => {
        const { lastVersion, isUnpublished } = membersOf(document);
        const isSame = document.generation === published.document.generation;
        return {
          ...document,
          members: {
            ...document.members,
            lastVersion: Math.max(lastVersion, number),
            isUnpublished: isSame ? false : isUnpublished,
            isSettled: !isBeingChanged(fn, this.#isBehind),
          },
        };
      },
    );
  }

  async remove(fn: KeptFunction, qualifier: string): Promise<void> {
    const { place, onChange } = this.#writer.options;
    if (qualifier === LATEST)
      throw invalid("$LATEST version cannot be deleted without deleting the function.");
    if (fn.aliases.has(qualifier)) throw invalid("Deletion of aliases is not currently supported.");
    const version = fn.versions.get(qualifier);
    if (version === undefined) throw noFunction(fn.name, qualifier, place);
    const users = [...fn.resource.aliases]
      .filter(([, alias]) => alias.version === qualifier || alias.weights.has(qualifier))
      .map(([alias]) => alias);
    if (users.length > 0) {
      throw conflict(
        `Version ${qualifier} cannot be deleted: aliases refer to it (${users.slice(0, 10).join(", ")}). Change or delete them first.`,
      );
    }
    await this.#writer.remove(version);
    await onChange();
  }
}
