import { MillraceError } from "../model/errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { ResourceRow, ResourceStore } from "../ports/resource-store.ts";
import { isOrphaned, type ResourceDocument, readDocument, writeDocument } from "../resources/document.ts";
import { type Drift, driftOf, type KeptResource, type ShownSpec, shownSpec } from "../resources/drift.ts";
import { FUNCTION_KIND, FUNCTION_KINDS } from "../resources/kinds.ts";
import { type Owner, ownerText } from "../resources/owner.ts";
import { ControlFault, validationFault } from "./control-fault.ts";

export interface ResourceControlOptions {
  readonly store: ResourceStore;
  readonly clock: Clock;
  /** Called after a change, so that it is carried out at once. */
  readonly onChange: () => void;
}

/** A resource as it is shown. */
export interface ResourceView {
  readonly kind: string;
  readonly name: string;
  readonly owner: string;
  readonly spec: ShownSpec;
  readonly overrides: Readonly<Record<string, unknown>>;
  readonly isOrphaned: boolean;
  readonly generation: number;
}

export interface ResourceName {
  readonly kind: string;
  readonly name: string;
}

const TRIES_MAX = 10;
const CONCURRENCY_MAX = 10_000;

/**
 * What may be done to functions' rows beside what manifests declare: concurrency, which is operation and not
 * configuration; removal of orphans; another owner.
 * @throws ControlFault in AWS's words; MillraceError ERR_MILLRACE_STORE_UNAVAILABLE.
 */
export class ResourceControl {
  readonly #options: ResourceControlOptions;

  constructor(options: ResourceControlOptions) {
    this.#options = options;
  }

  /** In the order of kinds and names. */
  async list(): Promise<readonly ResourceView[]> {
    return (await this.#kept()).map(({ kind, name, document }) => ({
      kind,
      name,
      owner: ownerText(document.owner),
      spec: shownSpec(document.spec),
      overrides: document.overrides ?? {},
      isOrphaned: isOrphaned(document),
      generation: document.generation,
    }));
  }

  async drift(): Promise<readonly Drift[]> {
    return driftOf(await this.#kept());
  }

  /** `undefined`: as its owner declared it. What another than the owner sets is kept beside that, as drift. */
  async setConcurrency(fn: string, concurrency: number | undefined): Promise<void> {
    if (concurrency !== undefined) checkConcurrency(concurrency);
    await this.#change({ kind: FUNCTION_KIND, name: fn }, (document) => {
      const { overrides: { reservedConcurrency: _before, ...others } = {}, ...rest } = document;
      const overrides = concurrency === undefined ? others : { ...others, reservedConcurrency: concurrency };
      return Object.keys(overrides).length === 0 ? rest : { ...rest, overrides };
    });
  }

  /** Removes orphans for good, or the one that is named. Resolves to what it removed. */
  async prune(only: Partial<ResourceName>): Promise<readonly ResourceName[]> {
    const { store, onChange } = this.#options;
    const removed: ResourceName[] = [];
    for (const { kind, name, document, row } of await this.#kept()) {
      const isMeant = (only.kind ?? kind) === kind && (only.name ?? name) === name;
      // plant: prune-removes-what-is-declared
      if (!isMeant || !isOrphaned(document)) continue;
      if ((await store.remove(row.uid, row.version)).kind === "removed") removed.push({ kind, name });
    }
    onChange();
    return removed;
  }

  /** Gives a function, with its versions and aliases, to another owner. Resolves to what changed hands. */
  async adopt(fn: string, owner: Owner): Promise<readonly (ResourceName & { readonly from: string })[]> {
    const family = (await this.#kept()).filter(
      ({ kind, name }) => (kind === FUNCTION_KIND ? name : name.slice(0, name.lastIndexOf(":"))) === fn,
    );
    if (family.length === 0) throw notFound(fn);
    const adopted = [];
    for (const { kind, name, document } of family) {
      adopted.push({ kind, name, from: ownerText(document.owner) });
      await this.#change({ kind, name }, ({ overrides = {}, spec, ...rest }) => {
        // An owner of its own has nobody beside it: what was set is what it declares.
        return { ...rest, spec: { ...spec, ...overrides }, owner, conditions: [] };
      });
    }
    return adopted;
  }

  async #kept(): Promise<readonly (KeptResource & { readonly row: ResourceRow })[]> {
    const rows = await this.#options.store.list(FUNCTION_KINDS);
    return rows
      .flatMap((row) => {
        const document = readDocument(row.document);
        return document === undefined ? [] : [{ kind: row.kind, name: row.name, document, row }];
      })
      .toSorted((a, b) => (`${a.kind} ${a.name}` < `${b.kind} ${b.name}` ? -1 : 1));
  }

  /** Whoever comes between is read again. */
  async #change(
    { kind, name }: ResourceName,
    change: (document: ResourceDocument) => ResourceDocument,
  ): Promise<void> {
    const { store, clock, onChange } = this.#options;
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      const kept = (await this.#kept()).find((each) => each.kind === kind && each.name === name);
      if (kept === undefined) throw notFound(name);
      const { document, row } = kept;
      const next = { ...change(document), generation: document.generation + 1, lastModifiedMs: clock.now() };
      const { uid, claims } = row;
      const written = await store.replace(
        { uid, kind, name, claims, document: writeDocument(next) },
        row.version,
      );
      onChange();
      if (written.kind === "written") return;
    }
    throw new MillraceError(
      "ERR_MILLRACE_STORE_UNAVAILABLE",
      `The ${kind} ${name} changed whenever it was written.`,
    );
  }
}

/** @throws ControlFault */
function checkConcurrency(value: number): void {
  if (!Number.isInteger(value)) {
    const message = `ReservedConcurrentExecutions is to be a whole number from 0 to ${CONCURRENCY_MAX}.`;
    throw new ControlFault("InvalidParameterValueException", message);
  }
  if (value >= 0 && value <= CONCURRENCY_MAX) return;
  const bound =
    value < 0
      ? "Member must have value greater than or equal to 0"
      : `Member must have value less than or equal to ${CONCURRENCY_MAX}`;
  const place = `Value '${value}' at 'reservedConcurrentExecutions'`;
  throw validationFault([`${place} failed to satisfy constraint: ${bound}`]);
}

function notFound(name: string): ControlFault {
  return new ControlFault("ResourceNotFoundException", `Function not found: ${name}`);
}
