import { RESOURCE_DOCUMENT_CHARS_MAX } from "../../model/limits.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import type { ResourceRow, ResourceStore } from "../../ports/resource-store.ts";
import { type ResourceDocument, readDocument, writeDocument } from "../../resources/document.ts";
import { ownerText } from "../../resources/owner.ts";
import { ControlFault } from "../control-fault.ts";

export interface RowWriterOptions {
  readonly store: ResourceStore;
  readonly clock: Clock;
  readonly random: Random;
  /** Called after a change; resolves when this process has looked at it. */
  readonly onChange: () => Promise<void>;
}

export interface FoundRow {
  readonly row: ResourceRow;
  readonly document: ResourceDocument;
}

type Spec = Readonly<Record<string, unknown>>;

const TRIES_MAX = 10;
/** Rows of a kind that a store may have. */
const ROWS_MAX = 1_000;

/** Makes, changes and removes rows of one kind that the API owns. @throws ControlFault in AWS's words */
export class RowWriter {
  readonly kind: string;
  readonly #options: RowWriterOptions;

  constructor(kind: string, options: RowWriterOptions) {
    this.kind = kind;
    this.#options = options;
  }

  async list(): Promise<readonly ResourceRow[]> {
    return await this.#options.store.list([this.kind]);
  }

  async find(name: string): Promise<FoundRow | undefined> {
    const row = (await this.list()).find((each) => each.name === name);
    const document = row && readDocument(row.document);
    return row === undefined || document === undefined ? undefined : { row, document };
  }

  /** `false`: there is one of this name. */
  async insert(name: string, spec: Spec): Promise<boolean> {
    const { store, clock, random, onChange } = this.#options;
    const rows = await this.list();
    if (rows.length >= ROWS_MAX)
      throw new ControlFault(
        "ServiceQuotaExceededException",
        `There are ${ROWS_MAX} of them, which is the most.`,
      );
    const nowMs = clock.now();
    const document: ResourceDocument = {
      form: 2,
      spec: { ...spec },
      owner: { kind: "api" },
      generation: 1,
      members: { createdMs: nowMs, sinceMs: nowMs },
      conditions: [],
      lastModifiedMs: nowMs,
    };
    const uid = `${this.kind}:${random.uuid()}`;
    const row = { uid, kind: this.kind, name, claims: [], document: this.#text(document) };
    const written = await store.insert(row);
    if (written.kind === "conflict") return false;
    await onChange();
    return true;
  }

  /** Whoever comes between is read again. `false`: there is none of this name. */
  async change(name: string, change: (spec: Spec) => Spec): Promise<boolean> {
    const { store, onChange } = this.#options;
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      const found = await this.find(name);
      if (found === undefined) return false;
      const { row, document } = found;
      this.#checkOwn(found, "changed");
      const spec = { ...change(document.spec) };
      const next = { ...document, spec, ...this.#begun(document) };
      const { uid, kind, claims } = row;
      const written = await store.replace(
        { uid, kind, name, claims, document: this.#text(next) },
        row.version,
      );
      if (written.kind !== "written") continue;
      await onChange();
      return true;
    }
    throw new ControlFault(
      "ConflictException",
      `${name} was changed by others whenever it was written. Try again.`,
    );
  }

  /**
   * `ENABLED` or `DISABLED` is operation and no configuration: beside an owner it is kept as an override, until that
   * declares the state anew. `false`: there is none of this name.
   */
  async setState(name: string, state: "ENABLED" | "DISABLED"): Promise<boolean> {
    const { store, onChange } = this.#options;
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      const found = await this.find(name);
      if (found === undefined) return false;
      const { row, document } = found;
      const isOwn = document.owner.kind === "api";
      const next = {
        ...document,
        ...(isOwn ? { spec: { ...document.spec, state } } : { overrides: { ...document.overrides, state } }),
        ...this.#begun(document),
      };
      const { uid, kind, claims } = row;
      const written = await store.replace(
        { uid, kind, name, claims, document: this.#text(next) },
        row.version,
      );
      if (written.kind !== "written") continue;
      await onChange();
      return true;
    }
    throw new ControlFault(
      "ConflictException",
      `${name} was changed by others whenever it was written. Try again.`,
    );
  }

  /** `false`: there is none of this name. */
  async remove(name: string): Promise<boolean> {
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      const found = await this.find(name);
      if (found === undefined) return false;
      this.#checkOwn(found, "deleted");
      const answer = await this.#options.store.remove(found.row.uid, found.row.version);
      if (answer.kind === "stale") continue;
      await this.#options.onChange();
      return true;
    }
    throw new ControlFault(
      "ConflictException",
      `${name} was changed by others whenever it was to go. Try again.`,
    );
  }

  /** Another generation begins. */
  #begun({ generation, members }: ResourceDocument) {
    const nowMs = this.#options.clock.now();
    return { generation: generation + 1, members: { ...members, sinceMs: nowMs }, lastModifiedMs: nowMs };
  }

  #checkOwn({ row, document }: FoundRow, verb: string): void {
    if (document.owner.kind === "api") return;
    const message = `The ${row.kind} ${row.name} is declared by ${ownerText(document.owner)}, and is ${verb} there alone.`;
    throw new ControlFault("ValidationException", message);
  }

  #text(document: ResourceDocument): string {
    const text = writeDocument(document);
    if (text.length <= RESOURCE_DOCUMENT_CHARS_MAX) return text;
    throw new ControlFault("ValidationException", "It is too large. Shorten its inputs and its description.");
  }
}

export function createdMs({ members, lastModifiedMs }: ResourceDocument): number {
  const created = members?.["createdMs"];
  return typeof created === "number" ? created : lastModifiedMs;
}
