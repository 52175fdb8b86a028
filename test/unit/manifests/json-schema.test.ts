import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CONNECTORS } from "../../../connectors/registry.ts";
import { SETTINGS_FILE, settingsReference } from "../../../scripts/settings-reference.ts";
import { manifestJsonSchemaText } from "../../../src/manifests/json-schema.ts";
import { manifestSchemas } from "../../../src/manifests/schema.ts";
import type { FieldSchema } from "../../../src/model/field-schema.ts";

test("the published schema is the one that the code checks with", () => {
  const published = readFileSync(
    new URL("../../../docs/schema/manifest.schema.json", import.meta.url),
    "utf8",
  );
  assert.equal(published, manifestJsonSchemaText(CONNECTORS), "run: npm run -s settings");
});

test("the settings reference says what the code checks with", () => {
  assert.equal(
    readFileSync(SETTINGS_FILE, "utf8"),
    settingsReference(CONNECTORS),
    "run: npm run -s settings",
  );
});

test("every field of a manifest is described", () => {
  const bare: string[] = [];
  const visit = (node: FieldSchema, path: string) => {
    for (const [name, property] of Object.entries(node.properties ?? {})) {
      if (property.description === undefined) bare.push(`${path}${name}`);
      visit(property, `${path}${name}.`);
    }
    if (node.items !== undefined) visit(node.items, path);
  };
  visit(manifestSchemas(CONNECTORS).json("Function"), "Function.");
  visit(manifestSchemas(CONNECTORS).json("EventSourceMapping"), "EventSourceMapping.");
  assert.deepEqual(bare, []);
});
