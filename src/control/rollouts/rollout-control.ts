import { functionArn } from "../../manifests/function-name.ts";
import type { Place } from "../../model/place.ts";
import { type Rollout, type RolloutOrder, shareOf } from "../../model/rollout.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ResourceRow, ResourceStore } from "../../ports/resource-store.ts";
import { isRunning } from "../../resources/alias-in-force.ts";
import { type ResourceDocument, readDocument, writeDocument } from "../../resources/document.ts";
import { ALIAS_KIND } from "../../resources/kinds.ts";
import { ownerText } from "../../resources/owner.ts";
import { type RolloutEvent, rolloutEvents, withRolloutEvent } from "../../resources/rollout-history.ts";
import type { RunningRollout } from "../../rollouts/rollout-driver.ts";
import type { RolloutSight } from "../../rollouts/rollout-sight.ts";
import { rolledBack } from "../../rollouts/step-rollout.ts";
import { ControlFault } from "../control-fault.ts";
import { changedMeanwhile, conflict, invalid, noFunction } from "../functions/function-faults.ts";
import { aliasView, LATEST } from "../functions/function-view.ts";
import { keptFunctions } from "../functions/kept-functions.ts";
import { newRollout } from "./declared-rollout.ts";

export interface RolloutControlOptions {
  readonly store: ResourceStore;
  readonly clock: Clock;
  readonly place: Place;
  /** Called after a change; resolves when this process has looked at it. */
  readonly onChange: () => Promise<void>;
  /** What this process saw of a rollout last. */
  readonly sightOf: (id: string) => RolloutSight | undefined;
}

/** A rollout as it is shown. */
export interface RolloutView extends Rollout {
  readonly fn: string;
  readonly alias: string;
  /** Share of the traffic that the new version has, 0 to 1. */
  readonly share: number;
  /** What happened to it, oldest first. */
  readonly events: readonly RolloutEvent[];
  /** `undefined`: this process has not looked at it. */
  readonly sight: RolloutSight | undefined;
}

interface Kept {
  readonly row: ResourceRow;
  readonly document: ResourceDocument;
  readonly rollout: Rollout;
}

const TRIES_MAX = 10;

/**
 * Rollouts of all aliases: each alias's row has the one that runs, or the last one that ended.
 * @throws ControlFault in AWS's words; MillraceError ERR_MILLRACE_STORE_UNAVAILABLE.
 */
export class RolloutControl {
  readonly #options: RolloutControlOptions;

  constructor(options: RolloutControlOptions) {
    this.#options = options;
  }

  /** Newest first. */
  async list(): Promise<readonly RolloutView[]> {
    const views = (await this.#kept()).map((kept) => this.#viewOf(kept));
    return views.toSorted((a, b) => b.startedMs - a.startedMs || (a.id < b.id ? -1 : 1));
  }

  async get(id: string): Promise<RolloutView> {
    return this.#viewOf(await this.#named(id));
  }

  /** What happened to rollouts of all aliases that are no longer the last ones of theirs, newest last. */
  async former(): Promise<readonly (RolloutEvent & { readonly name: string })[]> {
    const kept = await this.#kept();
    return kept.flatMap(({ row: { name }, document, rollout }) =>
      rolloutEvents(document).flatMap((event) => (event.id === rollout.id ? [] : [{ ...event, name }])),
    );
  }

  /** Moves an alias to another version as `order` says. */
  async start(fn: string, alias: string, to: string, order: RolloutOrder): Promise<RolloutView> {
    const { store, clock, place, onChange } = this.#options;
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      const functions = await keptFunctions(store);
      const kept = functions.get(fn);
      if (kept === undefined) throw noFunction(fn, alias, place);
      const view = aliasView(kept, alias);
      const { row, document } = kept.aliases.get(alias) ?? {};
      if (view === undefined || row === undefined || document === undefined) {
        const arn = functionArn({ name: fn, qualifier: alias }, place);
        throw new ControlFault("ResourceNotFoundException", `Alias not found: ${arn}`);
      }
      if (!kept.versions.has(to)) throw noFunction(fn, to, place);
      if (document.owner.kind !== "api") {
        throw invalid(
          `The alias ${fn}:${alias} is declared by ${ownerText(document.owner)}. Name the new version there, with rollout beside it.`,
        );
      }
      if (isRunning(document.rollout)) {
        throw conflict(`The alias ${alias} has a rollout that runs, ${document.rollout.id}.`);
      }
      if (view.version === LATEST)
        throw invalid(`The alias ${alias} stands for $LATEST: no rollout can leave it.`);
      if (view.version === to) throw invalid(`The alias ${alias} stands for version ${to} already.`);
      if (Object.keys(view.weights).length > 0) {
        throw invalid(
          `The alias ${alias} has weights. Take them away first: UpdateAlias with RoutingConfig {}.`,
        );
      }
      const hooks = [order.hooks.before, order.hooks.after].filter((hook) => hook !== undefined);
      const missing = hooks.find((hook) => !functions.has(hook.split(":")[0] ?? ""));
      if (missing !== undefined) throw noFunction(missing, undefined, place);
      const rollout = newRollout(row.name, { from: view.version, to }, order, clock.now());
      if (!(await this.#write(row, document, rollout))) continue;
      await onChange();
      return this.#viewOf({ row, document, rollout });
    }
    throw changedMeanwhile();
  }

  /** All traffic goes to the old version again, at once. */
  async stop(id: string): Promise<RolloutView> {
    const reason = "Somebody stopped it.";
    return await this.#change(id, (rollout) => {
      // plant: a-stopped-rollout-keeps-its-weight
      return { ...rolledBack(rollout, "Stopped", reason), endedMs: this.#options.clock.now() };
    });
  }

  /** What a hook says of itself. */
  async hookEnded(id: string, executionId: string, status: "Succeeded" | "Failed"): Promise<RolloutView> {
    return await this.#change(id, (rollout) => {
      const { hook } = rollout;
      if (hook === undefined || hook.executionId !== executionId) {
        throw invalid(`The rollout ${id} waits for no hook with this execution id.`);
      }
      return hook.status === "called" ? { ...rollout, hook: { executionId, status } } : rollout;
    });
  }

  /** For whoever moves them on. */
  async running(): Promise<readonly RunningRollout[]> {
    const kept = (await this.#kept()).filter(({ rollout }) => isRunning(rollout));
    return kept.map(({ row, rollout }) => ({ name: row.name, rowVersion: row.version, rollout }));
  }

  /** On the row that was seen alone. */
  async write(seen: RunningRollout, next: Rollout): Promise<boolean> {
    const found = (await this.#kept()).find(({ row }) => row.name === seen.name);
    if (found === undefined || found.row.version !== seen.rowVersion) return false;
    const isWritten = await this.#write(found.row, found.document, next);
    if (isWritten) await this.#options.onChange();
    return isWritten;
  }

  async #change(id: string, change: (rollout: Rollout) => Rollout): Promise<RolloutView> {
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      const kept = await this.#named(id);
      const { status } = kept.rollout;
      if (status !== "InProgress") throw conflict(`The rollout ${id} has ended: ${status}.`);
      const rollout = change(kept.rollout);
      if (!(await this.#write(kept.row, kept.document, rollout))) continue;
      await this.#options.onChange();
      return this.#viewOf({ ...kept, rollout });
    }
    throw changedMeanwhile();
  }

  /** Traffic and step in one write. A version that has taken over is what the API's alias stands for from then on. */
  async #write(row: ResourceRow, document: ResourceDocument, rollout: Rollout): Promise<boolean> {
    const { store, clock } = this.#options;
    const isTaken = rollout.status === "Succeeded" && document.owner.kind === "api";
    const spec = isTaken ? { ...document.spec, version: rollout.to } : document.spec;
    const { form: _form, ...rest } = document;
    const next = writeDocument({
      ...rest,
      spec,
      rollout,
      members: withRolloutEvent(document, rollout, clock.now()),
      generation: document.generation + 1,
      lastModifiedMs: clock.now(),
    });
    const { uid, kind, name, claims } = row;
    return (await store.replace({ uid, kind, name, claims, document: next }, row.version)).kind === "written";
  }

  #viewOf({ row, document, rollout }: Kept): RolloutView {
    const [fn = "", alias = ""] = row.name.split(":");
    const events = rolloutEvents(document).filter((event) => event.id === rollout.id);
    return {
      ...rollout,
      fn,
      alias,
      share: shareOf(rollout),
      events,
      sight: this.#options.sightOf(rollout.id),
    };
  }

  async #named(id: string): Promise<Kept> {
    const found = (await this.#kept()).find(({ rollout }) => rollout.id === id);
    if (found === undefined) {
      throw new ControlFault("ResourceNotFoundException", `There is no rollout ${id.slice(0, 80)}.`);
    }
    return found;
  }

  async #kept(): Promise<readonly Kept[]> {
    const rows = await this.#options.store.list([ALIAS_KIND]);
    return rows.flatMap((row) => {
      const document = readDocument(row.document);
      return document?.rollout === undefined ? [] : [{ row, document, rollout: document.rollout }];
    });
  }
}
