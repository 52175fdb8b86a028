import type { Readiness } from "../../ports/function-target.ts";
import { PROVISIONED_KIND } from "../../resources/kinds.ts";
import { ControlFault } from "../control-fault.ts";
import { provisionedIn } from "../function-rows.ts";
import { changedMeanwhile, conflict, invalid, noFunction } from "./function-faults.ts";
import { LATEST } from "./function-view.ts";
import type { FunctionWriter } from "./function-writer.ts";
import type { KeptFunction, KeptRow } from "./kept-functions.ts";

export interface ProvisionedView {
  readonly fn: string;
  readonly qualifier: string;
  readonly requested: number;
  readonly ready: number;
  readonly status: "IN_PROGRESS" | "READY" | "FAILED";
  readonly lastModifiedMs: number;
}

/** How far this process has come; `undefined`: the version is not open, or starts nothing ahead. */
export type ReadinessOf = (fn: string, version: string) => Promise<Readiness | undefined>;

/** Environments that versions keep ready: each process starts so many, and replaces those that end. */
export class ProvisionedControl {
  readonly #writer: FunctionWriter;
  readonly #readinessOf: ReadinessOf;

  constructor(writer: FunctionWriter, readinessOf: ReadinessOf) {
    this.#writer = writer;
    this.#readinessOf = readinessOf;
  }

  async list(name: string): Promise<readonly ProvisionedView[]> {
    const fn = await this.#writer.kept(name);
    const views = [...fn.provisioned].map(([qualifier, row]) => this.#view(fn, qualifier, row));
    return (await Promise.all(views)).filter((view) => view !== undefined);
  }

  async get(name: string, qualifier: string): Promise<ProvisionedView> {
    const fn = await this.#writer.kept(name, qualifier);
    versionOf(fn, qualifier, this.#writer);
    const row = fn.provisioned.get(qualifier);
    const view = row && (await this.#view(fn, qualifier, row));
    if (view !== undefined) return view;
    const message = "No Provisioned Concurrency Config found for this function";
    throw new ControlFault("ProvisionedConcurrencyConfigNotFoundException", message);
  }

  async put(name: string, qualifier: string, concurrency: number): Promise<ProvisionedView> {
    const { clock, store, onChange } = this.#writer.options;
    const fn = await this.#writer.own(name, qualifier);
    this.#check(fn, qualifier, concurrency);
    const document = {
      spec: { concurrency },
      owner: fn.document.owner,
      generation: 1,
      conditions: [],
      lastModifiedMs: clock.now(),
    };
    const before = fn.provisioned.get(qualifier);
    if (before === undefined) {
      if (!(await this.#writer.insert(PROVISIONED_KIND, `${name}:${qualifier}`, document)))
        throw changedMeanwhile();
    } else {
      const { uid, kind, name: rowName, claims, version } = before.row;
      const row = { uid, kind, name: rowName, claims, document: this.#writer.document(document) };
      if ((await store.replace(row, version)).kind !== "written") throw changedMeanwhile();
    }
    await onChange();
    return await this.get(name, qualifier);
  }

  async remove(name: string, qualifier: string): Promise<void> {
    const fn = await this.#writer.own(name, qualifier);
    versionOf(fn, qualifier, this.#writer);
    const row = fn.provisioned.get(qualifier);
    if (row === undefined) return;
    await this.#writer.remove(row);
    await this.#writer.options.onChange();
  }

  /** @throws ControlFault in AWS's words (invocation §10) */
  #check(fn: KeptFunction, qualifier: string, concurrency: number): void {
    const version = versionOf(fn, qualifier, this.#writer);
    if (version === LATEST)
      throw invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.");
    const { aliases, concurrency: most, isReserved, target } = fn.resource;
    if (target.kind !== "runtime")
      throw invalid(`The function ${fn.name} has no code of its own: it has no environments to keep ready.`);
    const isAlias = aliases.has(qualifier);
    if (isAlias && fn.provisioned.has(version)) {
      throw conflict(
        "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
      );
    }
    const others = [...fn.provisioned.keys()].filter((other) => other !== qualifier);
    if (!isAlias && others.some((other) => aliases.get(other)?.version === version))
      throw conflict("Version is pointed by a Provisioned Concurrency alias");
    if (concurrency <= most) return;
    const text =
      "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function";
    const remedy = `A process runs ${most} at once: reserve more by PutFunctionConcurrency.`;
    throw invalid(isReserved ? text : `${text}. ${remedy}`);
  }

  async #view(
    fn: KeptFunction,
    qualifier: string,
    { document }: KeptRow,
  ): Promise<ProvisionedView | undefined> {
    const requested = provisionedIn(document.spec);
    if (requested === undefined) return undefined;
    const version = fn.resource.aliases.get(qualifier)?.version ?? qualifier;
    const { ready = 0, isFailing = false } = (await this.#readinessOf(fn.name, version)) ?? {};
    const status = ready >= requested ? "READY" : isFailing ? "FAILED" : "IN_PROGRESS";
    return {
      ...{ fn: fn.name, qualifier, requested, status },
      ready: Math.min(ready, requested),
      lastModifiedMs: document.lastModifiedMs,
    };
  }
}

/** @throws ControlFault ResourceNotFoundException */
function versionOf(fn: KeptFunction, qualifier: string, writer: FunctionWriter): string {
  const version = fn.resource.aliases.get(qualifier)?.version ?? qualifier;
  if (version === LATEST || fn.versions.has(version)) return version;
  throw noFunction(fn.name, qualifier, writer.options.place);
}
