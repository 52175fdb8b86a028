import type { RepeatedLines } from "../lib/repeated-lines.ts";
import { describeError } from "../model/errors.ts";
import type { ClusterValueReader, ClusterValues, ValuesRef } from "../ports/cluster.ts";
import { type CustomObject, keyOf } from "./object-manifests.ts";
import type { ValueFiles } from "./value-files.ts";
import { type ValueReference, withReferences } from "./value-references.ts";

export interface FollowedValuesOptions {
  readonly reader: ClusterValueReader;
  readonly files: ValueFiles;
  readonly lines: RepeatedLines;
  readonly signal: AbortSignal;
}

export interface ResolvedObjects {
  /** With files in the place of references. */
  readonly objects: readonly CustomObject[];
  /** By `keyOf`, what is wrong with a reference, for people. */
  readonly problems: ReadonlyMap<string, string>;
}

/** Each is asked for again and again: one process does not follow more. */
const FOLLOWED_MAX = 500;
/** As large as a secret of AWS may be. */
const VALUE_BYTES_MAX = 65_536;

/**
 * Secrets and config maps that objects name. Each version of one is a file of its own, so that a change is another
 * path: what uses it is opened anew, and nothing else is.
 */
export class FollowedValues {
  readonly #options: FollowedValuesOptions;
  /** By `idOf`; `undefined`: there is none of the name. */
  readonly #known = new Map<string, ClusterValues | undefined>();
  #wanted: ReadonlyMap<string, ValuesRef> = new Map();
  /** Files of now, and of the time before: what opens may still have the row of then. */
  #files: ReadonlySet<string> = new Set();

  constructor(options: FollowedValuesOptions) {
    this.#options = options;
  }

  /** What cannot be read now stays as it was known. */
  async resolve(objects: readonly CustomObject[]): Promise<ResolvedObjects> {
    this.#wanted = wantedBy(objects);
    for (const id of this.#known.keys()) if (!this.#wanted.has(id)) this.#known.delete(id);
    const faults = new Map<string, string>();
    let followed = 0;
    for (const [id, ref] of this.#wanted) {
      followed += 1;
      if (followed > FOLLOWED_MAX)
        faults.set(id, `More than ${FOLLOWED_MAX} secrets and config maps are named.`);
      else if (!this.#known.has(id))
        await this.#read(id, ref).catch((error) => faults.set(id, describeError(error)));
    }
    return this.#rewritten(objects, faults);
  }

  /** Asks for all of them anew. Resolves to whether any is another. */
  async look(): Promise<boolean> {
    let isChanged = false;
    for (const [id, ref] of [...this.#wanted].slice(0, FOLLOWED_MAX)) {
      const before = this.#known.get(id)?.version;
      const hadAny = this.#known.has(id);
      try {
        await this.#read(id, ref);
      } catch (error) {
        if (this.#options.signal.aborted) return false;
        const fields = { [ref.kind]: `${ref.namespace}/${ref.name}`, error: describeError(error) };
        this.#options.lines.write(
          "warn",
          "what custom resources name cannot be read; it stays as it was",
          fields,
        );
        continue;
      }
      // plant: a-secret-that-rotates-is-not-followed
      isChanged ||= !hadAny || this.#known.get(id)?.version !== before;
    }
    return isChanged;
  }

  async #read(id: string, ref: ValuesRef): Promise<void> {
    this.#known.set(id, await this.#options.reader.read(ref, this.#options.signal));
  }

  #rewritten(objects: readonly CustomObject[], faults: ReadonlyMap<string, string>): ResolvedObjects {
    const problems = new Map<string, string>();
    const files = new Set<string>();
    const rewritten = objects.map((each): CustomObject => {
      const { namespace } = each.object.metadata;
      const spec = withReferences(each.object.spec, (reference) => {
        const found = this.#file(namespace, reference, faults);
        if ("problem" in found) problems.set(keyOf(each), found.problem);
        else files.add(found.path);
        return "problem" in found ? "file:/dev/null" : `file:${found.path}`;
      });
      return spec === each.object.spec ? each : { ...each, object: { ...each.object, spec } };
    });
    this.#options.files.keep(new Set([...files, ...this.#files]));
    this.#files = files;
    return { objects: rewritten, problems };
  }

  #file(
    namespace: string,
    { kind, name, key }: ValueReference,
    faults: ReadonlyMap<string, string>,
  ): { readonly path: string } | { readonly problem: string } {
    const { files } = this.#options;
    const id = idOf({ kind, namespace, name });
    const known = this.#known.get(id);
    const where = `The ${kind} ${name} of the namespace ${namespace}`;
    if (known === undefined)
      return { problem: faults.get(id) ?? `${where} is not there. Make it, or name another.` };
    const content = key === undefined ? whole(known) : known.values.get(key);
    if (content === undefined) return { problem: `${where} has no key ${key ?? ""}. Give one that it has.` };
    if (content.byteLength > VALUE_BYTES_MAX)
      return { problem: `${where} has more than ${VALUE_BYTES_MAX} bytes, too many for a secret.` };
    const path = files.pathOf(`${id}/${key ?? ""}`, known.version);
    try {
      files.write(path, content);
      return { path };
    } catch (error) {
      return { problem: describeError(error) };
    }
  }
}

function wantedBy(objects: readonly CustomObject[]): ReadonlyMap<string, ValuesRef> {
  const wanted = new Map<string, ValuesRef>();
  for (const { object } of objects) {
    const { namespace } = object.metadata;
    withReferences(object.spec, ({ kind, name }) => {
      const ref = { kind, namespace, name };
      wanted.set(idOf(ref), ref);
      return "";
    });
  }
  return wanted;
}

/** Names have no slash. */
function idOf({ kind, namespace, name }: ValuesRef): string {
  return `${kind}/${namespace}/${name}`;
}

/** All keys as one JSON object, as AWS keeps a login: `{"username": …, "password": …}`. */
function whole({ values }: ClusterValues): Buffer {
  return Buffer.from(
    JSON.stringify(Object.fromEntries([...values].map(([key, value]) => [key, value.toString()]))),
  );
}
