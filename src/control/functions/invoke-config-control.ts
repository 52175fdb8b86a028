import { type AsyncDestination, parseAsyncDestination } from "../../manifests/async-destination.ts";
import { invokeConfigFields } from "../../manifests/async-settings.ts";
import { functionArn } from "../../manifests/function-name.ts";
import type { InvokeConfig } from "../../model/invoke-config.ts";
import { INVOKE_CONFIG_KIND } from "../../resources/kinds.ts";
import { ControlFault } from "../control-fault.ts";
import { invokeConfigIn } from "../function-rows.ts";
import { changedMeanwhile, invalid, ownedElsewhere } from "./function-faults.ts";
import { LATEST } from "./function-view.ts";
import type { FunctionWriter } from "./function-writer.ts";
import { type KeptFunction, keptFunctions } from "./kept-functions.ts";

/** A route that a caller names: absent, left as it is; empty, cleared. */
export interface GivenRoutes {
  readonly onSuccess?: string | undefined;
  readonly onFailure?: string | undefined;
}

export interface GivenInvokeConfig {
  readonly maximumRetryAttempts?: number | undefined;
  readonly maximumEventAgeSeconds?: number | undefined;
  /** Absent: nothing was said of destinations. */
  readonly routes?: GivenRoutes | undefined;
}

export interface InvokeConfigView extends InvokeConfig {
  /** With its qualifier. */
  readonly functionArn: string;
  readonly qualifier: string;
  readonly lastModifiedMs: number;
}

/** How asynchronous events of functions, versions and aliases are retried, as Lambda's API has it (invocation §9.2). */
export class InvokeConfigControl {
  readonly #writer: FunctionWriter;

  constructor(writer: FunctionWriter) {
    this.#writer = writer;
  }

  async list(name: string): Promise<readonly InvokeConfigView[]> {
    const fn = await this.#known(name, LATEST);
    return [...fn.invokeConfigs.keys()].flatMap((qualifier) => this.#view(fn, qualifier) ?? []);
  }

  async get(name: string, qualifier = LATEST): Promise<InvokeConfigView> {
    const fn = (await keptFunctions(this.#writer.options.store)).get(name);
    const view = fn && this.#view(fn, qualifier);
    if (view !== undefined) return view;
    const arn = this.#arn(name, qualifier);
    const message = `The function ${arn} doesn't have an EventInvokeConfig`;
    throw new ControlFault("ResourceNotFoundException", message);
  }

  /** All that is not given is as if it never was. */
  async put(name: string, given: GivenInvokeConfig, qualifier = LATEST): Promise<InvokeConfigView> {
    if (isNothing(given)) {
      throw invalid("You must specify at least one of error handling or destination setting.");
    }
    const fn = await this.#known(name, qualifier);
    await this.#check(name, given);
    return await this.#write(fn, qualifier, merged({}, given));
  }

  /** What is not given stays as it is. */
  async update(name: string, given: GivenInvokeConfig, qualifier = LATEST): Promise<InvokeConfigView> {
    const before = await this.get(name, qualifier);
    if (isNothing(given)) return before;
    const fn = await this.#known(name, qualifier);
    await this.#check(name, given);
    return await this.#write(fn, qualifier, merged(before, given));
  }

  async remove(name: string, qualifier = LATEST): Promise<void> {
    await this.get(name, qualifier);
    const row = (await this.#known(name, qualifier)).invokeConfigs.get(qualifier);
    if (row === undefined) return;
    if (row.document.owner.kind !== "api") throw ownedElsewhere(name, row.document.owner);
    await this.#writer.remove(row);
    await this.#writer.options.onChange();
  }

  /** @throws ControlFault ResourceNotFoundException in the words of these operations */
  async #known(name: string, qualifier: string): Promise<KeptFunction> {
    const fn = (await keptFunctions(this.#writer.options.store)).get(name);
    const isThere = qualifier === LATEST || fn?.versions.has(qualifier) || fn?.aliases.has(qualifier);
    if (fn !== undefined && isThere === true) return fn;
    throw new ControlFault("ResourceNotFoundException", "The function doesn't exist.");
  }

  async #write(fn: KeptFunction, qualifier: string, config: InvokeConfig): Promise<InvokeConfigView> {
    const { clock, store, onChange } = this.#writer.options;
    const before = fn.invokeConfigs.get(qualifier);
    if (before !== undefined && before.document.owner.kind !== "api")
      throw ownedElsewhere(fn.name, before.document.owner);
    const document = {
      spec: invokeConfigFields(config),
      owner: { kind: "api" as const },
      generation: (before?.document.generation ?? 0) + 1,
      conditions: [],
      lastModifiedMs: clock.now(),
    };
    if (before === undefined) {
      const isNew = await this.#writer.insert(INVOKE_CONFIG_KIND, `${fn.name}:${qualifier}`, document);
      if (!isNew) throw changedMeanwhile();
    } else {
      const { uid, kind, name, claims, version } = before.row;
      const row = { uid, kind, name, claims, document: this.#writer.document(document) };
      if ((await store.replace(row, version)).kind !== "written") throw changedMeanwhile();
    }
    await onChange();
    return await this.get(fn.name, qualifier);
  }

  async #check(name: string, { routes = {} }: GivenInvokeConfig): Promise<void> {
    const functions = await keptFunctions(this.#writer.options.store);
    for (const text of [routes.onSuccess, routes.onFailure]) {
      if (text === undefined || text === "") continue;
      const read = parseAsyncDestination(text, "/");
      // Files and URLs of this host are for its operator to name.
      if (read.kind === "fault" || isOfHost(read)) throw invalidRoutes(routes);
      if (text === routes.onSuccess && isBucket(read)) throw invalidRoutes(routes);
      if (read.kind !== "function") continue;
      if (read.name === name) throw invalid("You can't specify the function as a destination for itself.");
      if (!functions.has(read.name)) throw invalid(`The destination ARN ${text} is invalid.`);
    }
  }

  #view(fn: KeptFunction, qualifier: string): InvokeConfigView | undefined {
    const kept = fn.invokeConfigs.get(qualifier);
    const config = kept && invokeConfigIn(kept.document.spec);
    if (kept === undefined || config === undefined) return undefined;
    const { lastModifiedMs } = kept.document;
    return { ...config, functionArn: this.#arn(fn.name, qualifier), qualifier, lastModifiedMs };
  }

  #arn(name: string, qualifier: string): string {
    return functionArn({ name, qualifier }, this.#writer.options.place);
  }
}

function isNothing({ maximumRetryAttempts, maximumEventAgeSeconds, routes }: GivenInvokeConfig): boolean {
  return maximumRetryAttempts === undefined && maximumEventAgeSeconds === undefined && routes === undefined;
}

function merged(before: InvokeConfig, given: GivenInvokeConfig): InvokeConfig {
  const { routes = {} } = given;
  return {
    maximumRetryAttempts: given.maximumRetryAttempts ?? before.maximumRetryAttempts,
    maximumEventAgeSeconds: given.maximumEventAgeSeconds ?? before.maximumEventAgeSeconds,
    onSuccess: (routes.onSuccess ?? before.onSuccess) || undefined,
    onFailure: (routes.onFailure ?? before.onFailure) || undefined,
  };
}

function isOfHost(read: AsyncDestination): boolean {
  return read.kind === "http" || (read.kind === "stored" && read.address.kind === "file");
}

function isBucket(read: AsyncDestination): boolean {
  return read.kind === "stored" && read.address.kind === "s3";
}

/** As AWS shows what it was given. */
function invalidRoutes({ onSuccess, onFailure }: GivenRoutes): ControlFault {
  const shown = (name: string, text: string | undefined) =>
    text === undefined ? "null" : `${name}(destination=${text.slice(0, 350)})`;
  const config = `DestinationConfig(onSuccess=${shown("OnSuccess", onSuccess)}, onFailure=${shown("OnFailure", onFailure)})`;
  return invalid(`The provided destination config ${config} is invalid.`);
}
