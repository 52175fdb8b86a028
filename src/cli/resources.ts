import { declarationsIn } from "../control/declared-manifests.ts";
import type { Declaration } from "../control/function-rows.ts";
import { type Compared, type Drift, declaredPart, differences, shownSpec } from "../resources/drift.ts";
import { ALIAS_KIND, FUNCTION_KIND, MAPPING_KIND, VERSION_KIND } from "../resources/kinds.ts";
import { API_FLAGS, ApiClient, isObject, type JsonObject } from "./api-client.ts";
import { type Command, EXIT_BAD_INPUT, EXIT_FAILED, EXIT_OK } from "./command.ts";
import { ENDPOINT_FLAG } from "./endpoint-flags.ts";
import { FILENAME_FLAG, readManifests } from "./manifest-flags.ts";
import { textTable } from "./mapping-text.ts";
import { lastValue, usageError } from "./parse-flags.ts";
import { TEMPLATE_FLAGS } from "./template-flags.ts";
import { printable } from "./terminal-text.ts";

export const diffCommand: Command = {
  name: "diff",
  summary: "Shows where functions and mappings of a running millrace are not as declared.",
  usage: "diff [-f FILE_OR_FOLDER...] [FLAGS]",
  details: `Without -f it shows drift: what was set by the API beside its owner, and orphans. With -f it also compares
functions, versions, aliases and mappings of manifests with the rows of a running millrace: what would change if they
were applied. Values of a module's environment have no part in it. Exit status 0: no difference, 1: there are some.`,
  flags: {
    filename: { ...FILENAME_FLAG, isRequired: false },
    ...TEMPLATE_FLAGS,
    endpoint: ENDPOINT_FLAG,
    ...API_FLAGS,
  },
  async run(flags, host) {
    const client = ApiClient.of(flags, host);
    const drift = objectsOf(await client.drift(), "drift").map(driftOf);
    if (flags.has("filename")) {
      const manifests = readManifests(flags, host);
      if (manifests === undefined) return EXIT_BAD_INPUT;
      const kept = objectsOf(await client.resources(), "resources");
      drift.push(...differences(compared(declarationsIn(manifests, host.adapters.connectors), kept)));
    }
    const asText = flags.has("json") ? `${JSON.stringify({ drift }, null, 2)}\n` : driftTable(drift);
    host.stdout.write(asText);
    return drift.length === 0 ? EXIT_OK : EXIT_FAILED;
  },
};

export const pruneCommand: Command = {
  name: "prune",
  summary: "Removes orphans: functions and mappings that their manifests no longer declare.",
  usage: "prune [KIND/NAME] [FLAGS]",
  details:
    "Removes all orphans of a running millrace for good, or the one that is named, such as function/orders. A mapping's checkpoints are removed with it, once no process works on it any more.",
  words: { RESOURCE: { description: "Kind and name of one orphan, as diff shows them. Default: all." } },
  flags: { ...API_FLAGS },
  async run(flags, host) {
    const named = lastValue(flags, "RESOURCE");
    const answer = await ApiClient.of(flags, host).prune(named === undefined ? {} : resourceNamed(named));
    const pruned = objectsOf(answer, "pruned");
    const lines = pruned.map(({ kind, name }) => `Removed ${String(kind)} ${String(name)}.\n`);
    const asText = lines.length === 0 ? "There is no orphan to remove.\n" : printableLines(lines);
    host.stdout.write(flags.has("json") ? `${JSON.stringify(answer, null, 2)}\n` : asText);
    return EXIT_OK;
  },
};

export const adoptCommand: Command = {
  name: "adopt",
  summary: "Gives a function or a mapping to another owner.",
  usage: "adopt function/NAME|mapping/NAME --to api|manifest [FLAGS]",
  details: `Gives a function, with its versions and aliases, or a mapping, with its checkpoints, to another owner, who alone
changes it from then on. What the API had set beside its owner becomes what is declared. Of manifests the set may be
named. First it says field by field what will be in force and is not declared now, or not by the manifests that get it.`,
  words: {
    RESOURCE: { isRequired: true, description: "function/NAME or mapping/NAME; UUID may stand for NAME." },
  },
  flags: {
    to: { value: "OWNER", isRequired: true, description: "api or manifest." },
    "manifest-set": { value: "NAME", description: "Set of the manifests that own it then. Default default." },
    "dry-run": { description: "Says what would change hands and which fields differ, and changes nothing." },
    ...API_FLAGS,
  },
  async run(flags, host) {
    const { kind, name } = resourceNamed(lastValue(flags, "RESOURCE") ?? "");
    if (kind !== FUNCTION_KIND && kind !== MAPPING_KIND)
      throw usageError("A function is adopted with its versions and aliases, or a mapping.");
    const set = lastValue(flags, "manifest-set");
    const wanted = { kind, name, to: lastValue(flags, "to"), ...(set === undefined ? {} : { set }) };
    const client = ApiClient.of(flags, host);
    const plan = await client.adopt({ ...wanted, dryRun: true });
    const changes = objectsOf(plan, "changes").map(driftOf);
    const [isDry, isJson] = [flags.has("dry-run"), flags.has("json")];
    if (changes.length > 0 && !isJson) host.stdout.write(driftTable(changes));
    const answer = isDry ? plan : await client.adopt(wanted);
    const verb = isDry ? "is" : "was";
    const lines = objectsOf(answer, "adopted").map(
      (each) => `${String(each["kind"])} ${String(each["name"])} ${verb} of ${String(each["from"])}.\n`,
    );
    host.stdout.write(isJson ? `${JSON.stringify(answer, null, 2)}\n` : printableLines(lines));
    return EXIT_OK;
  },
};

function resourceNamed(text: string): { readonly kind: string; readonly name: string } {
  const [, kind, name] = /^(function|version|alias|mapping)\/(.+)$/.exec(text) ?? [];
  if (kind !== undefined && name !== undefined) return { kind, name };
  throw usageError(
    `${JSON.stringify(text.slice(0, 80))} is no resource. Give KIND/NAME, such as function/orders.`,
  );
}

function objectsOf(answer: JsonObject, member: string): JsonObject[] {
  const list: unknown = answer[member];
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function driftOf({ kind, name, field, declared, inForce, reason }: JsonObject): Drift {
  const whole = { kind: String(kind), name: String(name), reason: String(reason) };
  return typeof field === "string" ? { ...whole, field, declared, inForce } : whole;
}

function compared(
  declarations: readonly Declaration[],
  resources: readonly JsonObject[],
): readonly Compared[] {
  const keyOf = (kind: unknown, name: unknown) => `${String(kind)}/${String(name)}`;
  const declared = new Map(declarations.map((each) => [keyOf(each.kind, each.name), each]));
  // A mapping is told from others by its UUID, whatever people call it.
  const kept = new Map(resources.map((each) => [keyOf(each["kind"], each["uuid"] ?? each["name"]), each]));
  const all = [...new Set([...declared.keys(), ...kept.keys()])].flatMap((key) => {
    const [declaration, row] = [declared.get(key), kept.get(key)];
    // An orphan that the manifests do not have is drift already, and what was published of them is theirs.
    if (declaration === undefined && row?.["isOrphaned"] === true) return [];
    if (declaration === undefined && row !== undefined && isPublishedVersion(row, declarations)) return [];
    const spec = declaration && shownSpec(plainSpec(declaration.spec));
    const {
      kind,
      name,
      title = name,
    } = declaration ?? {
      kind: String(row?.["kind"]),
      name: String(row?.["name"]),
    };
    return [{ kind, name: title, declared: spec, kept: row && keptOf(row) }];
  });
  return all.toSorted((a, b) => (keyOf(a.kind, a.name) < keyOf(b.kind, b.name) ? -1 : 1));
}

function keptOf({ spec, owner, isOrphaned }: JsonObject): NonNullable<Compared["kept"]> {
  const shown = declaredPart(isObject(spec) ? spec : {});
  return { spec: shown, owner: String(owner), isOrphaned: isOrphaned === true };
}

function isPublishedVersion({ kind, name }: JsonObject, declarations: readonly Declaration[]): boolean {
  const prefix = String(name).replace(/:.*$/, ":");
  const isOf = (each: Declaration) =>
    each.kind === ALIAS_KIND && each.name.startsWith(prefix) && each.spec["publish"] === true;
  return kind === VERSION_KIND && declarations.some(isOf);
}

/** As it comes through JSON. */
function plainSpec(spec: JsonObject): JsonObject {
  const plain: unknown = JSON.parse(JSON.stringify(spec));
  return isObject(plain) ? plain : {};
}

function driftTable(drift: readonly Drift[]): string {
  if (drift.length === 0) return "There is no difference.\n";
  const rows = drift.map(({ kind, name, field = "", declared, inForce, reason }) => [
    `${kind}/${name}`,
    field,
    shown(declared),
    shown(inForce),
    reason,
  ]);
  return textTable([["RESOURCE", "FIELD", "DECLARED", "IN FORCE", "REASON"], ...rows]);
}

function shown(value: unknown): string {
  return value === undefined ? "" : JSON.stringify(value);
}

function printableLines(lines: readonly string[]): string {
  return lines.map((line) => `${printable(line.trimEnd())}\n`).join("");
}
