import { functionArn } from "../../manifests/function-name.ts";
import { isRunning } from "../../resources/alias-in-force.ts";
import type { ResourceDocument } from "../../resources/document.ts";
import { ALIAS_KIND } from "../../resources/kinds.ts";
import { ControlFault } from "../control-fault.ts";
import { conflict, invalid, noFunction } from "./function-faults.ts";
import { type AliasView, aliasView, LATEST } from "./function-view.ts";
import type { FunctionWriter } from "./function-writer.ts";
import type { KeptFunction, KeptRow } from "./kept-functions.ts";

/** `undefined`: stays as it is. Weights that are empty are removed. */
export interface GivenAlias {
  readonly version?: string | undefined;
  readonly weights?: Readonly<Record<string, number>> | undefined;
  readonly description?: string | undefined;
}

const ALIASES_MAX = 1_000;

/** Names of versions, one with a second version that gets a share of the calls (invocation §10). */
export class AliasControl {
  readonly #writer: FunctionWriter;

  constructor(writer: FunctionWriter) {
    this.#writer = writer;
  }

  /** In the order of names. `version`: those whose main version it is. */
  async list(fn: string, version: string | undefined): Promise<readonly AliasView[]> {
    const kept = await this.#writer.kept(fn);
    const views = [...kept.aliases.keys()].flatMap((name) => aliasView(kept, name) ?? []);
    return views.filter((view) => version === undefined || view.version === version);
  }

  async get(fn: string, name: string): Promise<AliasView> {
    const view = aliasView(await this.#writer.kept(fn), name);
    if (view === undefined) throw this.#missing("Cannot find alias arn: ", fn, name);
    return view;
  }

  async create(
    fn: string,
    name: string,
    given: GivenAlias & { readonly version: string },
  ): Promise<AliasView> {
    const { options } = this.#writer;
    const kept = await this.#writer.own(fn);
    if (kept.aliases.has(name)) throw this.#alreadyThere(fn, name);
    if (kept.aliases.size >= ALIASES_MAX)
      throw invalid(`The function has ${ALIASES_MAX} aliases, which is the most.`);
    const document = {
      spec: this.#spec(kept, given.version, given.weights ?? {}),
      members: { description: given.description ?? "" },
      owner: kept.document.owner,
      generation: 1,
      conditions: [],
      lastModifiedMs: options.clock.now(),
    };
    if (!(await this.#writer.insert(ALIAS_KIND, `${fn}:${name}`, document)))
      throw this.#alreadyThere(fn, name);
    await options.onChange();
    return await this.get(fn, name);
  }

  async update(
    fn: string,
    name: string,
    given: GivenAlias,
    revisionId: string | undefined,
  ): Promise<AliasView> {
    const part = (kept: KeptFunction): KeptRow => {
      const alias = kept.aliases.get(name);
      if (alias === undefined) throw this.#missing("Alias not found: ", fn, name);
      return alias;
    };
    const change = (document: ResourceDocument, kept: KeptFunction) => {
      if (isRunning(document.rollout) && (given.version ?? given.weights) !== undefined) {
        throw conflict(
          `The alias ${name} has a rollout that runs, ${document.rollout.id}. Stop it first, or wait for its end.`,
        );
      }
      const before = aliasView(kept, name);
      const version = given.version ?? before?.version ?? LATEST;
      // Weights of a rollout are not the alias's own: they go with it.
      const spec = isRunning(document.rollout)
        ? document.spec
        : { ...this.#spec(kept, version, given.weights ?? before?.weights ?? {}), ...routingIn(document) };
      const description = given.description === undefined ? {} : { description: given.description };
      const members = { ...document.members, ...description };
      // Whoever says anew what the alias stands for has said it: what went back before holds nothing back.
      const { rollout, ...rest } = document;
      const isSaidAnew = (given.version ?? given.weights) !== undefined;
      const after = isSaidAnew || rollout === undefined ? rest : { ...rest, rollout };
      return { ...after, spec, members, generation: document.generation + 1 };
    };
    await this.#writer.change(fn, part, revisionId, change);
    return await this.get(fn, name);
  }

  /** One that never was is deleted, too. */
  async remove(fn: string, name: string): Promise<void> {
    const kept = await this.#writer.own(fn);
    const alias = kept.aliases.get(name);
    if (alias === undefined) return;
    const config = kept.invokeConfigs.get(name);
    if (config !== undefined) await this.#writer.remove(config);
    await this.#writer.remove(alias);
    await this.#writer.options.onChange();
  }

  /** @throws ControlFault */
  #spec(
    { name, versions }: KeptFunction,
    version: string,
    weights: Readonly<Record<string, number>>,
  ): Record<string, unknown> {
    const { place } = this.#writer.options;
    const others = Object.keys(weights);
    if (others.length > 1) {
      throw invalid("Number of items in AdditionalVersionWeights cannot be greater than 1");
    }
    if (version !== LATEST && !versions.has(version)) throw noFunction(name, version, place);
    if (version === LATEST && others.length > 0)
      throw invalid("$LATEST is not supported for an alias pointing to more than 1 version");
    for (const other of others) {
      if (other === version) {
        throw invalid(
          `Invalid function version ${other}. Function version ${other} is already included in routing configuration.`,
        );
      }
      if (other === LATEST)
        throw invalid("$LATEST is not supported for an alias pointing to more than 1 version");
      if (!versions.has(other)) throw noFunction(name, other, place);
    }
    return { version, ...(others.length === 0 ? {} : { weights: { ...weights } }) };
  }

  #missing(text: string, fn: string, name: string): ControlFault {
    const arn = functionArn({ name: fn, qualifier: name }, this.#writer.options.place);
    return new ControlFault("ResourceNotFoundException", `${text}${arn}`);
  }

  #alreadyThere(fn: string, name: string): ControlFault {
    const arn = functionArn({ name: fn, qualifier: name }, this.#writer.options.place);
    return conflict(`Alias already exists: ${arn}`);
  }
}

/** What AWS has no word for stays as it is. */
function routingIn({ spec }: ResourceDocument): Record<string, unknown> {
  const { routing } = spec;
  return routing === undefined ? {} : { routing };
}
