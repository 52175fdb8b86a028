import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type TestContext, test } from "node:test";
import { stringify } from "yaml";
import { CONNECTORS } from "../../../connectors/registry.ts";
import { manifestText } from "../../../src/cli/manifest-text.ts";
import { declarationsIn } from "../../../src/control/declared-manifests.ts";
import { type ExportedResource, exportedResources } from "../../../src/control/exported-resources.ts";
import { applySet } from "../../../src/control/manifest-set.ts";
import { publishedContents, withPublished } from "../../../src/control/published-aliases.ts";
import { formatProblems, loadManifests } from "../../../src/manifests/load-manifests.ts";
import { API_VERSION } from "../../../src/manifests/schema.ts";
import type { ResourceRow } from "../../../src/ports/resource-store.ts";
import { readDocument } from "../../../src/resources/document.ts";
import { declaredPart, differences, shownSpec } from "../../../src/resources/drift.ts";
import type { ManifestOwner } from "../../../src/resources/owner.ts";
import { readTemplate } from "../../../src/sam/read-template.ts";
import type { TemplateOptions } from "../../../src/sam/to-resources.ts";
import { writtenTemplate } from "../../../src/sam/written-template.ts";
import { createMemoryResourceStore } from "../../../src/stores/memory-resources.ts";
import { folderWith } from "../manifests/manifest-samples.ts";
import { ALL } from "./every-kind.ts";
import { GIVEN, OPTIONS, read } from "./template-samples.ts";

const FIXTURES = join(import.meta.dirname, "../../fixtures/sam");

/** What one file declares, in an empty store, and what the store says then. */
async function applied(file: string, options: Partial<TemplateOptions> = {}) {
  const context = {
    connectors: CONNECTORS,
    nowMs: Date.UTC(2026, 0, 31),
    place: OPTIONS.place,
    readTemplate: (text: string) => readTemplate(text, { ...OPTIONS, ...options }),
  };
  const loaded = loadManifests([file], context);
  if (loaded.kind === "invalid") assert.fail(formatProblems(loaded.problems));
  const declarations = declarationsIn(loaded.manifests, CONNECTORS);
  const store = createMemoryResourceStore();
  const owner: ManifestOwner = { kind: "manifest", set: "default" };
  const published = await publishedContents(declarations, async () => ({ sha256: "0".repeat(64), bytes: 1 }));
  const prepare = (rows: readonly ResourceRow[]) => withPublished(declarations, published, rows, owner);
  await applySet({ store, owner, declarations, prepare, nowMs: 1 });
  const rows = await store.list();
  const kept = new Map(
    rows.map((row) => [`${row.kind} ${row.name}`, readDocument(row.document)?.spec ?? {}]),
  );
  return { declarations, kept, exported: exportedResources(rows, CONNECTORS) };
}

function written(t: TestContext, text: string, name: string): string {
  return join(folderWith(t, { [name]: text }), name);
}

function asManifests(resources: readonly ExportedResource[]): string {
  return manifestText(
    resources.map(({ kind, name, spec }) => ({ apiVersion: API_VERSION, kind, metadata: { name }, spec })),
  );
}

type Applied = Awaited<ReturnType<typeof applied>>;

/** Where what the second declares is not what the first store keeps, as `millrace diff` says it. */
function diff({ kept }: Applied, { declarations }: Applied) {
  const all = declarations.map(({ kind, name, spec }) => {
    const before = kept.get(`${kind} ${name}`);
    const row = before && {
      spec: declaredPart(shownSpec(before)),
      owner: "the manifest set default",
      isOrphaned: false,
    };
    const plain = JSON.parse(JSON.stringify(spec)) as Record<string, unknown>;
    return { kind, name, declared: shownSpec(plain), kept: row };
  });
  const names = declarations.map(({ kind, name }) => `${kind} ${name}`);
  const published = declarations.filter(({ spec }) => spec["publish"] === true);
  const isOfOne = (name: string) =>
    published.some((alias) => name.startsWith(`version ${alias.name.split(":")[0]}:`));
  const others = [...kept.keys()].filter((name) => !names.includes(name) && !isOfOne(name));
  return [...differences(all), ...others];
}

/** A template in a folder that has the code which it names. */
function templateFile(t: TestContext, name: string): { file: string; options: Partial<TemplateOptions> } {
  const text = readFileSync(join(FIXTURES, name), "utf8");
  const folder = folderWith(t, { "template.yaml": text, "inline/index.py": "" });
  const endpoints = { KAFKA_BOOTSTRAP_SERVERS: ["b-1.example.com:9096"] };
  const options = {
    ...GIVEN[name.replace(".yaml", "")],
    endpoints,
    inlineCode: () => join(folder, "inline"),
  };
  for (const { spec } of read(text, options).resources) {
    for (const field of ["code", "layers"]) {
      const value = spec.entries.get(field)?.value;
      const places = value?.kind === "list" ? value.items : value === undefined ? [] : [value];
      for (const place of places)
        if (place.kind === "scalar") mkdirSync(resolve(folder, String(place.value)), { recursive: true });
    }
  }
  return { file: join(folder, "template.yaml"), options };
}

for (const name of readdirSync(FIXTURES).filter((file) => file.endsWith(".yaml"))) {
  test(`${name}, exported as manifests and as SAM, makes the same of an empty store`, async (t) => {
    const { file, options } = templateFile(t, name);
    const first = await applied(file, options);
    const manifests = await applied(written(t, asManifests(first.exported), "m.yaml"));
    assert.deepEqual(diff(first, manifests), []);
    assert.deepEqual(manifests.exported, first.exported);
    const { template, remarks } = writtenTemplate(first.exported, CONNECTORS);
    const sam = await applied(written(t, stringify(template), "template.yaml"), {
      endpoints: options.endpoints ?? {},
    });
    assert.deepEqual(diff(first, sam), [], stringify(template));
    const unsaid = remarks.filter(({ message }) => !message.includes("(endpoints)"));
    assert.deepEqual(unsaid, []);
  });
}

const FILES = { "m.mts": "", "code/app.py": "", "layer/x": "", "login.json": "{}" };

/** `login`: where the secret of the cluster is, from the manifest's folder. */
async function appliedAll(t: TestContext, login?: string) {
  const folder = folderWith(t, FILES);
  const file = join(folder, "m.yaml");
  writeFileSync(file, ALL.replace("LOGIN", login ?? join(folder, "login.json")));
  return { folder, first: await applied(file) };
}

test("every kind of function and mapping, exported as manifests, makes the same of an empty store", async (t) => {
  const { first } = await appliedAll(t);
  const again = await applied(written(t, asManifests(first.exported), "m.yaml"));
  assert.deepEqual(diff(first, again), []);
  assert.deepEqual(again.exported, first.exported);
});

test("places in what is exported are whole, wherever the manifest was", async (t) => {
  const { folder, first } = await appliedAll(t, "login.json");
  const text = asManifests(first.exported);
  for (const name of ["login.json", "code", "layer", "m.mts", "orders.db", "failed.jsonl"])
    assert.ok(text.includes(join(folder, name)), name);
});

test("what SAM cannot say is one remark each, and the rest comes back as it was", async (t) => {
  const folder = folderWith(t, {
    "m.mts": "",
    "code/app.py": "",
    "layer/x": "",
    "login.json": "{}",
  });
  writeFileSync(join(folder, "m.yaml"), ALL.replace("LOGIN", join(folder, "login.json")));
  const first = await applied(join(folder, "m.yaml"));
  const { template, remarks } = writtenTemplate(first.exported, CONNECTORS);
  assert.deepEqual(
    remarks.map(({ kind, name, message }) => `${kind} ${name}: ${message}`),
    [
      "Function behind-http: It is left out, with all that invokes it: SAM has no function behind HTTP",
      "Function by-command: It is left out, with all that invokes it: SAM has no function that a command starts",
      "Function in-module: It is left out, with all that invokes it: SAM has no function in a module of Node without a package",
      "Function on-lambda: It is left out, with all that invokes it: SAM has no function that runs on Lambda already",
      "Function published: SAM cannot say its rollout.alarms of the alias live, which is left out",
      "Function with_code-1: SAM cannot say its credentials, which is left out",
      "EventSourceMapping fifo: SAM cannot say that what is listed holds back its group (strictAwsFifo): it is left out",
      "EventSourceMapping kept-here: SAM has no destination in a file: it is left out",
      "EventSourceMapping kept-here: SAM cannot say where its source is (endpoints): it is left out",
      "Route balanced: It is left out: SAM has no event of the shape alb",
      "Route hosted: It is left out: SAM cannot say its host with an event of a function",
      "Route of-latest: It is left out: SAM has events of a function that stands beside them, and of its published alias, alone",
      "Route of-two-methods: It is left out: SAM has one method, or all, for an event",
      "Route stageless: It is left out: SAM has no REST API without the name of its stage",
      "Rule paid-orders: Those of its targets whose functions are left out are left out, too",
    ],
  );
  writeFileSync(join(folder, "t.yaml"), stringify(template));
  const sam = await applied(join(folder, "t.yaml"), {
    endpoints: { LOCAL_FILE: [join(folder, "orders.db")] },
  });
  const changed = diff(first, sam).map((each) =>
    typeof each === "string" ? each : `${each.name} ${each.field}`,
  );
  const uuidOf = (name: string) => first.declarations.find(({ title }) => title === name)?.name;
  assert.deepEqual(
    changed.toSorted(),
    [
      "alias behind-http:live",
      "function behind-http",
      "function by-command",
      "function in-module",
      "function on-lambda",
      `mapping ${uuidOf("of-http")}`,
      "version behind-http:2",
      "version behind-http:3",
      `${uuidOf("fifo")} strictAwsFifo`,
      `${uuidOf("kept-here")} destinationConfig`,
      "published:live rollout",
      "with_code-1 credentials",
      "shop/paid-orders targets",
      "rule default/of-http-alone",
      "schedule default/schedule-of-http",
      ...["balanced", "hosted", "of-latest", "of-two-methods", "route-of-http", "stageless"].map(
        (name) => `route ${name}`,
      ),
    ].toSorted(),
  );
});
