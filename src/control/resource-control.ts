import type { ResourceKind } from "../manifests/schema.ts";
import { MillraceError } from "../model/errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Connector } from "../ports/connector.ts";
import type { ResourceRow, ResourceStore } from "../ports/resource-store.ts";
import { isOrphaned, type ResourceDocument, readDocument, writeDocument } from "../resources/document.ts";
import { type Drift, driftOf, type KeptResource, type ShownSpec, shownSpec } from "../resources/drift.ts";
import {
  DECLARED_KINDS,
  FUNCTION_KIND,
  FUNCTION_KINDS,
  MAPPING_KIND,
  ROUTE_KIND,
  TIMED_KINDS,
} from "../resources/kinds.ts";
import { type Owner, ownerText } from "../resources/owner.ts";
import { checkReservation } from "./account-concurrency.ts";
import { adoptedDocument } from "./adopted-document.ts";
import { type Adoption, adoptionOf, type SetContent } from "./adoption.ts";
import { ControlFault, notFound as mappingNotFound, validationFault } from "./control-fault.ts";
import { declaredRow } from "./declared-document.ts";
import { type Exported, exportAll } from "./export-all.ts";
import { functionsOf } from "./function-rows.ts";
import { manifestKindOf, titleOf } from "./kept-rows.ts";
import { claimsOf } from "./mapping-claims.ts";
import { mappingDocument } from "./mapping-record.ts";

export interface ResourceControlOptions {
  readonly store: ResourceStore;
  readonly clock: Clock;
  /** What the manifests of this process declare, and as which set. */
  readonly declared?: () => SetContent;
  /** They know what mappings claim. */
  readonly connectors?: readonly Connector[];
  /** Calls at once of all functions together; absent: there is no such bound. */
  readonly accountConcurrency?: number | undefined;
  /** Called after a change; resolves when this process has looked at it. */
  readonly onChange: () => Promise<void>;
}

/** A resource as it is shown. */
export interface ResourceView {
  readonly kind: string;
  readonly name: string;
  /** Mappings have one: it tells them from each other, whatever people call them. */
  readonly uuid?: string;
  readonly owner: string;
  readonly spec: ShownSpec;
  readonly overrides: Readonly<Record<string, unknown>>;
  readonly isOrphaned: boolean;
  readonly generation: number;
}

/** A row of a set, for whoever waits until it is carried out. */
export interface DeclaredStanding {
  readonly kind: ResourceKind;
  readonly name: string;
  /** Nothing declares it any more: it is not run. */
  readonly isOrphaned: boolean;
  /** Not all processes have carried it out yet. */
  readonly isChanging: boolean;
}

export interface ResourceName {
  readonly kind: string;
  readonly name: string;
}

const TRIES_MAX = 10;
const CONCURRENCY_MAX = 10_000;

interface KeptRow extends KeptResource {
  readonly row: ResourceRow;
}

/**
 * What may be done to rows beside what manifests declare: concurrency, which is operation and not configuration;
 * removal of orphans; another owner.
 * @throws ControlFault in AWS's words; MillraceError ERR_MILLRACE_STORE_UNAVAILABLE.
 */
export class ResourceControl {
  readonly #options: ResourceControlOptions;

  constructor(options: ResourceControlOptions) {
    this.#options = options;
  }

  /** In the order of kinds and names. */
  async list(): Promise<readonly ResourceView[]> {
    return (await this.#kept()).map(({ kind, name, document, row }) => ({
      kind,
      name,
      ...(kind === MAPPING_KIND ? { uuid: row.uid } : {}),
      owner: ownerText(document.owner),
      spec: shownSpec(document.spec),
      overrides: document.overrides ?? {},
      isOrphaned: isOrphaned(document),
      generation: document.generation,
    }));
  }

  /** What the manifests of a set declare, or declared once: as people call it. */
  async declaredBy(set: string): Promise<readonly DeclaredStanding[]> {
    return (await this.#kept()).flatMap(({ row, document }) => {
      const kind = manifestKindOf(row.kind);
      if (kind === undefined || document.owner.kind !== "manifest" || document.owner.set !== set) return [];
      const isChanging = document.transition !== undefined;
      return [{ kind, name: titleOf(row, document), isOrphaned: isOrphaned(document), isChanging }];
    });
  }

  /** All that runs, as the manifests that declare it, and what none of them can say. */
  async export(): Promise<Exported> {
    return await exportAll(this.#options.store, this.#options.connectors ?? []);
  }

  async drift(): Promise<readonly Drift[]> {
    return driftOf(await this.#kept());
  }

  /** `undefined`: as its owner declared it. What another than the owner sets is kept beside that, as drift. */
  async setConcurrency(fn: string, concurrency: number | undefined): Promise<void> {
    if (concurrency !== undefined) {
      const { store, accountConcurrency } = this.#options;
      checkConcurrency(concurrency);
      const { functions } = functionsOf(await store.list(FUNCTION_KINDS));
      checkReservation(functions, { name: fn, concurrency }, accountConcurrency);
    }
    await this.#change(await this.#named({ kind: FUNCTION_KIND, name: fn }), ({ document }) => {
      const { overrides: { reservedConcurrency: _before, ...others } = {}, ...rest } = document;
      if (document.owner.kind === "api") return withConcurrency(rest, concurrency);
      const overrides = concurrency === undefined ? others : { ...others, reservedConcurrency: concurrency };
      const generation = document.generation + 1;
      return { ...rest, ...(Object.keys(overrides).length === 0 ? {} : { overrides }), generation };
    });
  }

  /**
   * Removes orphans for good, or the one that is named; progress of a mapping goes once no process works on it any
   * more. Resolves to what it removed.
   */
  async prune(only: Partial<ResourceName>): Promise<readonly ResourceName[]> {
    const { store, clock, onChange } = this.#options;
    const removed: ResourceName[] = [];
    for (const { kind, name, document, row } of await this.#kept()) {
      const isMeant = (only.kind ?? kind) === kind && isNamed(row, name, only.name ?? name);
      // plant: prune-removes-what-is-declared
      if (!isMeant || !isOrphaned(document)) continue;
      const leaving = { ...document, transition: "Deleting", lastModifiedMs: clock.now() };
      const answer =
        kind === MAPPING_KIND
          ? await store.replace(declaredRow(row, row.uid, row.claims, leaving), row.version)
          : await store.remove(row.uid, row.version);
      if (answer.kind === "removed" || answer.kind === "written") removed.push({ kind, name });
    }
    await onChange();
    return removed;
  }

  /**
   * What would change hands, and where what is in force then is not what is declared now, or by the manifests that get
   * it. Changes nothing.
   * @throws ControlFault
   */
  async adoption(name: string, owner: Owner, kind: string = FUNCTION_KIND): Promise<Adoption> {
    const family = await this.#family({ kind, name });
    return adoptionOf(family, owner, this.#options.declared?.());
  }

  /**
   * Gives a function, with its versions and aliases, or a mapping to another owner. Resolves to what changed hands.
   * @throws ControlFault also when another has what only one may have, and an orphan had given up.
   */
  async adopt(
    name: string,
    owner: Owner,
    kind: string = FUNCTION_KIND,
  ): Promise<readonly (ResourceName & { readonly from: string })[]> {
    const { clock } = this.#options;
    const adopted = [];
    for (const kept of await this.#family({ kind, name })) {
      adopted.push({ kind: kept.kind, name: kept.name, from: ownerText(kept.document.owner) });
      await this.#change(kept, ({ document }) => adoptedDocument(kept.kind, document, owner, clock.now()));
    }
    return adopted;
  }

  /** What is adopted as one. */
  async #family({ kind, name }: ResourceName): Promise<readonly KeptRow[]> {
    if (kind === MAPPING_KIND || kind === ROUTE_KIND || TIMED_KINDS.includes(kind))
      return [await this.#named({ kind, name })];
    const family = (await this.#kept()).filter(
      ({ kind: of, name: own }) => FUNCTION_KINDS.includes(of) && functionOf(of, own) === name,
    );
    if (kind !== FUNCTION_KIND || family.length === 0) throw notFound(name);
    return family;
  }

  /** @throws ControlFault also when several mappings have the name */
  async #named({ kind, name }: ResourceName): Promise<KeptRow> {
    const found = (await this.#kept()).filter(
      (each) => each.kind === kind && isNamed(each.row, each.name, name),
    );
    const [first, second] = found;
    if (first === undefined) throw kind === MAPPING_KIND ? mappingNotFound() : notFound(name);
    if (second === undefined) return first;
    const uuids = found.map(({ row }) => row.uid).join(", ");
    const message = `Several event source mappings are called ${name}. Give the UUID of one: ${uuids}.`;
    throw new ControlFault("InvalidParameterValueException", message);
  }

  async #kept(): Promise<readonly KeptRow[]> {
    const rows = await this.#options.store.list(DECLARED_KINDS);
    return rows
      .flatMap((row) => {
        const document =
          row.kind === MAPPING_KIND ? mappingDocument(row.document) : readDocument(row.document);
        // What is being deleted is nobody's any more.
        if (document === undefined || document.transition === "Deleting") return [];
        return [{ kind: row.kind, name: document.name ?? row.name, document, row }];
      })
      .toSorted((a, b) => (`${a.kind} ${a.name}` < `${b.kind} ${b.name}` ? -1 : 1));
  }

  /** Whoever comes between is read again. */
  async #change(
    { kind, name, row: { uid } }: KeptRow,
    change: (kept: KeptRow) => Omit<ResourceDocument, "form">,
  ): Promise<void> {
    const { store, clock, onChange } = this.#options;
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      const kept = (await this.#kept()).find(({ row }) => row.uid === uid);
      if (kept === undefined) throw kind === MAPPING_KIND ? mappingNotFound() : notFound(name);
      const { row } = kept;
      const document = writeDocument({ ...change(kept), lastModifiedMs: clock.now() });
      const written = await store.replace(
        { ...identityOf(row), claims: this.#claims(kept), document },
        row.version,
      );
      if (written.kind === "written") return await onChange();
      if (written.kind === "conflict") throw claimedMeanwhile(name, written.uid);
    }
    throw new MillraceError(
      "ERR_MILLRACE_STORE_UNAVAILABLE",
      `The ${kind} ${name} changed whenever it was written.`,
    );
  }

  /** An orphan may have given its claims up to another mapping of its set. */
  #claims({ kind, row, document }: KeptRow): readonly string[] {
    const { connectors } = this.#options;
    if (kind !== MAPPING_KIND || connectors === undefined) return row.claims;
    return claimsOf(document.spec, connectors);
  }
}

/** What its owner sets is no drift. */
function withConcurrency(document: ResourceDocument, reservedConcurrency: number | undefined) {
  const { reservedConcurrency: _before, ...spec } = document.spec;
  const reserved = reservedConcurrency === undefined ? {} : { reservedConcurrency };
  return { ...document, spec: { ...spec, ...reserved }, generation: document.generation + 1 };
}

function identityOf({ uid, kind, name }: ResourceRow) {
  return { uid, kind, name };
}

function functionOf(kind: string, name: string): string {
  return kind === FUNCTION_KIND ? name : name.slice(0, name.lastIndexOf(":"));
}

/** By what people call it, or by its UUID. */
function isNamed({ kind, name: own }: ResourceRow, title: string, wanted: string): boolean {
  return title === wanted || (kind === MAPPING_KIND && own === wanted.toLowerCase());
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

function claimedMeanwhile(name: string, uid: string): ControlFault {
  const message = `The event source mapping ${name} cannot be taken over: what only one may have is of the mapping ${uid} by now. Remove that one first.`;
  return new ControlFault("ResourceConflictException", message);
}

function notFound(name: string): ControlFault {
  return new ControlFault("ResourceNotFoundException", `Function not found: ${name}`);
}
