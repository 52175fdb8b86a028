import { isDeepStrictEqual } from "node:util";
import { MillraceError } from "../model/errors.ts";
import type { ResourceRow } from "../ports/resource-store.ts";
import { aliasInForce } from "../resources/alias-in-force.ts";
import { readDocument } from "../resources/document.ts";
import { ALIAS_KIND, FUNCTION_KIND, VERSION_KIND } from "../resources/kinds.ts";
import { isSameOwner, type ManifestOwner } from "../resources/owner.ts";
import type { Declaration } from "./function-rows.ts";
import { membersOf, publishedFieldsOf } from "./functions/function-fields.ts";
import type { KeepCode } from "./functions/package-sweep.ts";

type Spec = Readonly<Record<string, unknown>>;

/** Versions that are kept to run beside those that an alias uses: who names one by its number has time to follow. */
const KEPT_VERSIONS = 10;

/**
 * What the versions of functions are to be that an alias publishes, by the functions' names. Code that stands in a
 * folder or zip of this host is copied, so that a version stays what it was.
 * @throws MillraceError ERR_MILLRACE_CONFIG where there is no place for copies; ERR_MILLRACE_PACKAGE
 */
export async function publishedContents(
  declarations: readonly Declaration[],
  keep: KeepCode | undefined,
): Promise<ReadonlyMap<string, Spec>> {
  const names = new Set(declarations.filter(isPublished).map(functionOf));
  const contents = new Map<string, Spec>();
  for (const { kind, name, spec } of declarations) {
    if (kind !== FUNCTION_KIND || !names.has(name)) continue;
    const plain = JSON.parse(JSON.stringify(spec)) as Spec;
    const { timeoutSeconds } = plain;
    const fields = {
      ...publishedFieldsOf(plain),
      ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    };
    const { code, layers }: Spec = fields;
    const kept = async (place: unknown) => await keptPlace(name, place, keep);
    contents.set(name, {
      ...fields,
      ...(code === undefined ? {} : { code: await kept(code) }),
      ...(Array.isArray(layers) ? { layers: await inTurn(layers, kept) } : {}),
    });
  }
  return contents;
}

async function inTurn(places: readonly unknown[], kept: (place: unknown) => Promise<unknown>) {
  const all: unknown[] = [];
  for (const place of places) all.push(await kept(place));
  return all;
}

async function keptPlace(fn: string, place: unknown, keep: KeepCode | undefined): Promise<unknown> {
  const path = typeof place === "object" && place !== null && "path" in place ? place.path : undefined;
  if (typeof path !== "string") return place;
  if (keep === undefined) {
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `Versions of the function ${fn} cannot be published: hosts of its store share no place for copies of its code. Start millrace with --packages dir:PATH, a folder that they share, or s3:BUCKET/PREFIX.`,
    );
  }
  const { sha256, bytes } = await keep(path);
  return { sha256, bytes };
}

/**
 * The declarations, with the version that each published alias goes to: the newest one where it has this content, else
 * the next. Versions that the set published before stay declared, as many as are of use.
 */
export function withPublished(
  declarations: readonly Declaration[],
  contents: ReadonlyMap<string, Spec>,
  rows: readonly ResourceRow[],
  owner: ManifestOwner,
): readonly Declaration[] {
  if (contents.size === 0) return declarations;
  const numbers = new Map<string, number>();
  const all = declarations.flatMap((declaration): readonly Declaration[] => {
    const content = declaration.kind === FUNCTION_KIND ? contents.get(declaration.name) : undefined;
    if (content === undefined) return [declaration];
    const { number, versions } = versionsOf(declaration.name, content, rows, owner);
    numbers.set(declaration.name, number);
    // Who reads in between sees no alias of a version that is not there.
    return [...versions, declaration];
  });
  return all.map((declaration) => {
    const number = isPublished(declaration) ? numbers.get(functionOf(declaration)) : undefined;
    if (number === undefined) return declaration;
    return { ...declaration, spec: { version: String(number), ...declaration.spec } };
  });
}

function versionsOf(fn: string, content: Spec, rows: readonly ResourceRow[], owner: ManifestOwner) {
  const known = rows
    .filter(({ kind, name }) => kind === VERSION_KIND && name.startsWith(`${fn}:`))
    .map(({ name, document }) => ({
      number: Number(name.slice(fn.length + 1)),
      document: readDocument(document),
    }))
    .toSorted((a, b) => b.number - a.number);
  const own = known.flatMap(({ number, document }) =>
    document !== undefined && isSameOwner(document.owner, owner) ? [{ number, spec: document.spec }] : [],
  );
  const [newest] = own;
  const isKnown = newest !== undefined && isDeepStrictEqual(newest.spec, content);
  // plant: a-published-number-is-given-twice
  const number = isKnown ? newest.number : Math.max(known[0]?.number ?? 0, countedOf(fn, rows)) + 1;
  const inUse = versionsInUse(fn, rows);
  const kept = own.filter(
    (each, index) => each.number !== number && (index < KEPT_VERSIONS || inUse.has(String(each.number))),
  );
  const versions = [...kept, { number, spec: content }].map(
    (each): Declaration => ({ kind: VERSION_KIND, name: `${fn}:${each.number}`, spec: each.spec }),
  );
  return { number, versions };
}

/** Numbers that the API gave, also of versions that are deleted, are not given again. */
function countedOf(fn: string, rows: readonly ResourceRow[]): number {
  const row = rows.find(({ kind, name }) => kind === FUNCTION_KIND && name === fn);
  const document = row && readDocument(row.document);
  return document === undefined ? 0 : membersOf(document).lastVersion;
}

/** What aliases stand for, leave or go to. */
function versionsInUse(fn: string, rows: readonly ResourceRow[]): ReadonlySet<string> {
  return new Set(
    rows.flatMap(({ kind, name, document }) => {
      const read = kind === ALIAS_KIND && name.startsWith(`${fn}:`) ? readDocument(document) : undefined;
      if (read === undefined) return [];
      const { version, weights } = aliasInForce(read);
      const shares = typeof weights === "object" && weights !== null ? Object.keys(weights) : [];
      const { from, to } = read.rollout ?? {};
      return [String(version), ...shares, ...[from, to].filter((each) => each !== undefined)];
    }),
  );
}

function isPublished({ kind, spec }: Declaration): boolean {
  return kind === ALIAS_KIND && spec["publish"] === true;
}

function functionOf({ name }: Declaration): string {
  return name.slice(0, name.indexOf(":"));
}
