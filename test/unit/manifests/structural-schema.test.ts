import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { CONNECTORS } from "../../../connectors/registry.ts";
import { customResourcesText } from "../../../src/manifests/custom-resources.ts";
import { structuralSchema } from "../../../src/manifests/structural-schema.ts";

type Node = Readonly<Record<string, unknown>>;

/** What an API server takes of JSON Schema (apiextensions.k8s.io/v1), less what we do not use. */
const WORDS = [
  ...["type", "description", "properties", "required", "items", "additionalProperties", "enum", "format"],
  ...["minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength", "pattern"],
  ...["x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string"],
];

const definitions = parseAllDocuments(customResourcesText(CONNECTORS)).map((document) => document.toJS());

test("each kind of manifest has a definition with a structural schema", () => {
  assert.deepEqual(
    definitions.map(({ metadata }) => metadata.name),
    ["functions", "eventsourcemappings", "routes", "schedules", "rules"].map(
      (name) => `${name}.millrace.dev`,
    ),
  );
  for (const { spec } of definitions) check(spec.versions[0].schema.openAPIV3Schema, spec.names.kind);
});

function check(node: Node, path: string): void {
  const { type, properties, items, additionalProperties, pattern } = node;
  const unknown = Object.keys(node).filter((word) => !WORDS.includes(word));
  assert.deepEqual(unknown, [], path);
  const isOpen = node["x-kubernetes-preserve-unknown-fields"] === true;
  assert.ok(
    typeof type === "string" || isOpen || node["x-kubernetes-int-or-string"] === true,
    `${path} has no type`,
  );
  assert.ok(properties === undefined || additionalProperties === undefined, `${path} has both`);
  assert.ok(
    typeof pattern !== "string" || !/\(\?[^:]|\\[upk1-9]/.test(pattern),
    `${path}: Go does not know ${pattern}`,
  );
  for (const [name, field] of Object.entries((properties as object | undefined) ?? {}))
    check(field, `${path}.${name}`);
  if (items !== undefined) check(items as Node, `${path}[]`);
  if (additionalProperties !== undefined) check(additionalProperties as Node, `${path}.*`);
}

test("the chart has the definitions that the code makes", () => {
  const published = new URL("../../../helm/millrace/crds/millrace.dev.yaml", import.meta.url);
  assert.equal(readFileSync(published, "utf8"), customResourcesText(CONNECTORS), "run: npm run -s settings");
});

test("forms, constants, defaults and bounds become what an API server knows", () => {
  assert.deepEqual(structuralSchema({ anyOf: [{ type: "integer" }, { type: "string" }] }), {
    "x-kubernetes-int-or-string": true,
  });
  assert.deepEqual(structuralSchema({ anyOf: [{ type: "string" }, { type: "object" }], description: "d" }), {
    description: "d",
    "x-kubernetes-preserve-unknown-fields": true,
  });
  assert.deepEqual(structuralSchema({ type: "string", const: "a", default: "a" }), {
    type: "string",
    enum: ["a"],
  });
  assert.deepEqual(structuralSchema({ type: "string", pattern: "^(?!a)b$" }), { type: "string" });
  for (const pattern of ["^a{1,1024}$", "^(?:a{1,64}b){1,64}$", "^\\u{61}$"])
    assert.deepEqual(structuralSchema({ type: "string", pattern }), { type: "string" }, pattern);
  assert.deepEqual(structuralSchema({ type: "string", pattern: "^(?:a|b)\\d$" }), {
    type: "string",
    pattern: "^(?:a|b)\\d$",
  });
  assert.deepEqual(
    structuralSchema({
      type: "object",
      additionalProperties: false,
      required: ["n"],
      properties: { n: { type: "integer", minimum: 1, maximum: 9 } },
    }),
    { type: "object", required: ["n"], properties: { n: { type: "integer", minimum: 1, maximum: 9 } } },
  );
});
