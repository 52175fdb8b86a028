import { functionSpec } from "../../manifests/function-schema.ts";
import { hasErrorCode } from "../../model/errors.ts";
import type { PackageStore, StoredPackage } from "../../ports/package-store.ts";
import { type ResourceDocument, readDocument } from "../../resources/document.ts";
import { ALIAS_KIND, FUNCTION_KIND, VERSION_KIND } from "../../resources/kinds.ts";
import type { UrlControl } from "../routes/url-control.ts";
import { formerVersion, keepNumber } from "./former-numbers.ts";
import { beingChanged, conflict, invalid, noFunction, staleRevision } from "./function-faults.ts";
import { type FunctionMembers, membersOf, storedCodeOf, targetFieldsOf } from "./function-fields.ts";
import { removeLeftovers } from "./function-leftovers.ts";
import {
  type FunctionView,
  type IsBehind,
  isBeingChanged,
  LATEST,
  latestView,
  versionView,
} from "./function-view.ts";
import type { FunctionWriter } from "./function-writer.ts";
import { type KeptFunction, keptFunctions, revisionIdOf } from "./kept-functions.ts";
import type { VersionControl } from "./version-control.ts";

export interface FunctionControlOptions {
  readonly writer: FunctionWriter;
  readonly versions: VersionControl;
  readonly urls: UrlControl;
  readonly isBehind: IsBehind;
  /** Takes checked archives only. `undefined`: none that all processes of the store share. */
  readonly packages: PackageStore | undefined;
}

/** Fields of a spec; `undefined` for what is to be removed. */
export interface GivenFields {
  readonly spec: Readonly<Record<string, unknown>>;
  readonly members: Partial<
    Pick<FunctionMembers, "description" | "role" | "architectures" | "tracing" | "tags">
  >;
}

export interface GivenFunction extends GivenFields {
  readonly name: string;
  readonly archive: Uint8Array;
  readonly isToPublish: boolean;
}

export interface GivenCode {
  readonly archive: Uint8Array;
  readonly architectures: readonly string[] | undefined;
  readonly isToPublish: boolean;
  readonly isDryRun: boolean;
  readonly revisionId: string | undefined;
}

const FUNCTIONS_MAX = 1_000;

/**
 * Functions that callers of Lambda's API make, change and delete: rows, and packages that these name.
 * @throws ControlFault in AWS's words; MillraceError ERR_MILLRACE_STORE_UNAVAILABLE.
 */
export class FunctionControl {
  readonly #options: FunctionControlOptions;

  constructor(options: FunctionControlOptions) {
    this.#options = options;
  }

  /** In the order of names. `isAll`: with all versions of each. */
  async list(isAll = false): Promise<readonly FunctionView[]> {
    const { writer, isBehind } = this.#options;
    return [...(await keptFunctions(writer.options.store)).values()].flatMap((fn) => {
      const versions = isAll ? [...fn.versions.keys()] : [];
      return [
        latestView(fn, isBehind),
        ...versions.flatMap((number) => versionView(fn, number, isBehind) ?? []),
      ];
    });
  }

  /** By a name, and a version or an alias. What is answered of an alias is its main version. */
  async get(name: string, qualifier: string | undefined): Promise<FunctionView> {
    const { writer } = this.#options;
    const view = this.#view(await writer.kept(name, qualifier), qualifier);
    if (view === undefined) throw noFunction(name, qualifier, writer.options.place);
    return view;
  }

  #view(fn: KeptFunction, qualifier: string | undefined): FunctionView | undefined {
    const { isBehind } = this.#options;
    if (qualifier === undefined || qualifier === LATEST) return latestView(fn, isBehind);
    const { versions, aliases } = fn.resource;
    // Without versions and aliases a qualifier is only shown.
    if (versions.size + aliases.size === 0 && fn.document.owner.kind !== "api")
      return latestView(fn, isBehind);
    const version = aliases.get(qualifier)?.version ?? qualifier;
    return version === LATEST ? latestView(fn, isBehind) : versionView(fn, version, isBehind);
  }

  async create({ name, archive, spec, members, isToPublish }: GivenFunction): Promise<FunctionView> {
    const { writer, versions } = this.#options;
    const { store, clock } = writer.options;
    const before = await keptFunctions(store);
    if (before.has(name)) throw alreadyThere(name);
    if (before.size >= FUNCTIONS_MAX)
      throw invalid(`There are ${FUNCTIONS_MAX} functions, which is the most.`);
    const code = await this.#put(archive);
    const document = {
      spec: checked({ ...withoutRemoved(spec), code }),
      members: { ...members, lastVersion: await formerVersion(name, writer), isUnpublished: true },
      owner: { kind: "api" as const },
      generation: 1,
      conditions: [],
      lastModifiedMs: clock.now(),
    };
    await removeLeftovers(name, writer);
    // plant: a-function-is-made-over-another
    if (!(await writer.insert(FUNCTION_KIND, name, document))) throw alreadyThere(name);
    await writer.options.onChange();
    const { generation } = document;
    return isToPublish ? await versions.publish(name, { generation }) : await this.get(name, undefined);
  }

  async updateCode(name: string, given: GivenCode): Promise<FunctionView> {
    const { writer, versions, isBehind } = this.#options;
    const { archive, architectures, isToPublish, isDryRun, revisionId } = given;
    const kept = await writer.own(name);
    if (storedCodeOf(kept.document.spec) === undefined && kept.resource.target.kind !== "runtime") {
      throw invalid(
        `The function ${name} has no code of its own: it is called as ${kept.resource.target.kind}. Delete it, and create it with code.`,
      );
    }
    if (revisionId !== undefined && revisionId !== revisionIdOf(kept.row)) throw staleRevision();
    const code = await this.#put(archive);
    if (isDryRun) return await this.get(name, undefined);
    const change = (document: ResourceDocument, fn: KeptFunction) => {
      this.#refuseBetween(fn, kept);
      return {
        ...changed(document, architectures === undefined ? {} : { architectures: [...architectures] }),
        spec: checked({ ...document.spec, code }),
      };
    };
    const row = await writer.change(name, (fn) => fn, revisionId, change);
    const written = await writer.keptAs(name, row);
    // plant: an-update-is-answered-with-what-others-made-of-it
    if (!isToPublish) return latestView(written, isBehind);
    const { generation } = written.document;
    // plant: what-others-wrote-is-published-in-the-place-of-what-was-sent
    return await versions.publish(name, { generation });
  }

  async updateConfiguration(
    name: string,
    { spec, members }: GivenFields,
    revisionId: string | undefined,
  ): Promise<FunctionView> {
    const { writer, isBehind } = this.#options;
    const before = await writer.own(name);
    const change = (document: ResourceDocument, fn: KeptFunction) => {
      this.#refuseBetween(fn, before);
      const ofCode = Object.keys(targetFieldsOf(spec));
      if (ofCode.length > 0 && fn.resource.target.kind !== "runtime") {
        throw invalid(
          `The function ${name} has no code of its own, and no ${ofCode.join(", ")}. Change what it calls in a manifest, or delete it and create it with code.`,
        );
      }
      return { ...changed(document, members), spec: checked({ ...document.spec, ...spec }) };
    };
    const row = await writer.change(name, (fn) => fn, revisionId, change);
    return latestView(await writer.keptAs(name, row), isBehind);
  }

  /** `before`: as the operation found it. Lambda refuses the second of two updates at once, and nobody's is lost. */
  #refuseBetween(fn: KeptFunction, before: KeptFunction): void {
    const { writer, isBehind } = this.#options;
    const isOvertaken = fn.document.generation !== before.document.generation;
    // plant: an-update-is-written-over-another
    if (isOvertaken || isBeingChanged(fn, isBehind))
      throw beingChanged(fn.name, fn.document.generation === 1, writer.options.place);
  }

  /** Whether a chain of events may pass the function without end. */
  async setLoops(name: string, loops: "Terminate" | "Allow"): Promise<void> {
    const { writer } = this.#options;
    await writer.change(
      name,
      (fn) => fn,
      undefined,
      (document) => ({
        ...document,
        generation: document.generation + 1,
        spec: { ...document.spec, recursiveLoop: loops },
      }),
    );
  }

  /** Tags change nothing of what is run, and nothing of what may be published. */
  async changeTags(
    name: string,
    change: (tags: Readonly<Record<string, string>>) => Readonly<Record<string, string>>,
  ): Promise<void> {
    const { writer, isBehind } = this.#options;
    await writer.change(
      name,
      (fn) => fn,
      undefined,
      (document, fn) => ({
        ...document,
        members: {
          ...document.members,
          tags: { ...change(membersOf(document).tags) },
          isSettled: !isBeingChanged(fn, isBehind),
        },
      }),
    );
  }

  /** The whole function, or one version of it. Packages stay a day. */
  async remove(name: string, qualifier: string | undefined): Promise<void> {
    const { writer, versions, urls } = this.#options;
    const fn = await writer.own(name, qualifier);
    if (qualifier !== undefined) return await versions.remove(fn, qualifier);
    await keepNumber(name, membersOf(fn.document).lastVersion, writer);
    // In this order: who reads in between sees no alias of a version that is not there, and no version of nothing.
    await urls.removeAll(name);
    for (const kept of [...fn.provisioned.values(), ...fn.invokeConfigs.values()]) await writer.remove(kept);
    for (const alias of fn.aliases.values()) await writer.remove(alias);
    for (const version of fn.versions.values()) await writer.remove(version);
    await writer.remove(fn);
    await removeLeftovers(name, writer);
    await writer.options.onChange();
  }

  /** Names of all packages that rows of functions name, whosever they are. */
  async neededPackages(): Promise<ReadonlySet<string>> {
    const rows = await this.#options.writer.options.store.list([FUNCTION_KIND, VERSION_KIND, ALIAS_KIND]);
    const specs = rows.flatMap(({ document }): Readonly<Record<string, unknown>>[] => {
      const read = readDocument(document);
      return read === undefined ? [] : [read.spec];
    });
    const places = specs.flatMap(({ code, layers }): readonly unknown[] => [
      code,
      ...(Array.isArray(layers) ? layers : []),
    ]);
    return new Set(places.flatMap((code) => storedCodeOf({ code })?.sha256 ?? []));
  }

  async #put(archive: Uint8Array): Promise<StoredPackage> {
    const { packages } = this.#options;
    if (packages === undefined) {
      throw invalid(
        "This millrace takes no code over its API: it was told so, or its address is not loopback, or hosts of its store share no place for packages. Start it with --packages dir:PATH, a folder that they share, or s3:BUCKET/PREFIX.",
      );
    }
    try {
      return await packages.put(archive);
    } catch (error) {
      if (!hasErrorCode(error, "ERR_MILLRACE_PACKAGE")) throw error;
      const text = "Could not unzip uploaded file. Please check your file, then try to upload again.";
      throw invalid(`${text} ${error.message}`);
    }
  }
}

function changed(document: ResourceDocument, members: object) {
  return {
    ...document,
    members: { ...document.members, ...members, isUnpublished: true, isSettled: false },
    generation: document.generation + 1,
  };
}

function withoutRemoved(spec: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined));
}

/** What the API writes is what manifests may say. @throws ControlFault without values: they may be secrets */
function checked(spec: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept = withoutRemoved(spec);
  const { error } = functionSpec.safeParse(kept);
  if (error === undefined) return kept;
  const fields = [...new Set(error.issues.map(({ path }) => String(path[0])))].join(", ");
  throw invalid(`The function's settings are not valid: look at ${fields}.`);
}

function alreadyThere(name: string) {
  return conflict(`Function already exist: ${name}`);
}
