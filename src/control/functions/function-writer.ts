import { RESOURCE_DOCUMENT_CHARS_MAX } from "../../model/limits.ts";
import type { Place } from "../../model/place.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import type { NewResourceRow, ResourceRow, ResourceStore } from "../../ports/resource-store.ts";
import { type ResourceDocument, writeDocument } from "../../resources/document.ts";
import { FUNCTION_KINDS } from "../../resources/kinds.ts";
import { changedMeanwhile, invalid, noFunction, ownedElsewhere, staleRevision } from "./function-faults.ts";
import { type KeptFunction, type KeptRow, keptFunctions, revisionIdOf } from "./kept-functions.ts";

export interface FunctionWriterOptions {
  readonly store: ResourceStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly place: Place;
  /** Called after a change; resolves when this process has looked at it. */
  readonly onChange: () => Promise<void>;
}

const TRIES_MAX = 10;

/** Reads and changes rows of functions, for all operations on them. */
export class FunctionWriter {
  readonly options: FunctionWriterOptions;

  constructor(options: FunctionWriterOptions) {
    this.options = options;
  }

  /** @throws ControlFault ResourceNotFoundException */
  async kept(name: string, qualifier?: string): Promise<KeptFunction> {
    const { store, place } = this.options;
    const kept = (await keptFunctions(store)).get(name);
    if (kept === undefined) throw noFunction(name, qualifier, place);
    return kept;
  }

  /** As `kept`, where one of its rows is still as it was written, whoever has changed it since. */
  async keptAs(name: string, written: ResourceRow): Promise<KeptFunction> {
    const { store, place } = this.options;
    const rows = (await store.list(FUNCTION_KINDS)).filter(({ uid }) => uid !== written.uid);
    const kept = (await keptFunctions({ list: async () => [...rows, written] })).get(name);
    if (kept === undefined) throw noFunction(name, undefined, place);
    return kept;
  }

  /** As `kept`, of one that the API may change. @throws ControlFault */
  async own(name: string, qualifier?: string): Promise<KeptFunction> {
    const kept = await this.kept(name, qualifier);
    // plant: the-api-changes-a-function-that-a-manifest-owns
    if (kept.document.owner.kind !== "api") throw ownedElsewhere(name, kept.document.owner);
    return kept;
  }

  /**
   * Changes one row of a function; whoever comes between is read again. `revisionId`: what the caller saw. Resolves to
   * what it wrote.
   * @throws ControlFault also what `change` throws
   */
  async change(
    name: string,
    part: (fn: KeptFunction) => KeptRow,
    revisionId: string | undefined,
    change: (
      document: ResourceDocument,
      fn: KeptFunction,
    ) => Omit<ResourceDocument, "form" | "lastModifiedMs">,
  ): Promise<ResourceRow> {
    const { store, clock } = this.options;
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      const fn = await this.own(name);
      const { row, document } = part(fn);
      // plant: a-stale-revision-is-written-over
      if (revisionId !== undefined && revisionId !== revisionIdOf(row)) throw staleRevision();
      const next = this.document({ ...change(document, fn), lastModifiedMs: clock.now() });
      const { uid, kind, name: rowName, claims } = row;
      const changed = { uid, kind, name: rowName, claims, document: next };
      const written = await store.replace(changed, row.version);
      if (written.kind !== "written") continue;
      await this.options.onChange();
      return { ...changed, version: written.version };
    }
    throw changedMeanwhile();
  }

  /** `false`: there is one of this name, or with one of these claims. */
  async insert(
    kind: string,
    name: string,
    document: Omit<ResourceDocument, "form">,
    claims: readonly string[] = [],
  ): Promise<boolean> {
    const uid = `${kind}:${this.options.random.uuid()}`;
    const row: NewResourceRow = { uid, kind, name, claims, document: this.document(document) };
    return (await this.options.store.insert(row)).kind === "written";
  }

  /** Also what others change meanwhile: whoever deletes has the last word. @throws ControlFault when they never end */
  async remove({ row: { uid, version } }: Pick<KeptRow, "row">): Promise<void> {
    const { store } = this.options;
    let seen = version;
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      // plant: what-changes-while-it-is-deleted-stays
      if ((await store.remove(uid, seen)).kind === "removed") return;
      const found = await store.get(uid);
      if (found === undefined) return;
      seen = found.version;
    }
    throw changedMeanwhile();
  }

  document(document: Omit<ResourceDocument, "form">): string {
    const text = writeDocument(document);
    if (text.length <= RESOURCE_DOCUMENT_CHARS_MAX) return text;
    throw invalid(
      "The function's settings are too large together. Shorten its description, variables or tags.",
    );
  }
}
