/** Makes `docs/settings.md` from the manifests' JSON Schema and the flags of `millrace run`: `npm run settings`. */
import { writeFileSync } from "node:fs";
import type { Command } from "../src/cli/command.ts";
import { loadCommand } from "../src/cli/load.ts";
import { runCommand } from "../src/cli/run.ts";
import { scenarioJsonSchema } from "../src/load/load-scenario.ts";
import type { SchemaNode } from "../src/manifests/issue-texts.ts";
import { resourceJsonSchema } from "../src/manifests/json-schema.ts";

export const SETTINGS_FILE = new URL("../docs/settings.md", import.meta.url);

export function settingsReference(): string {
  return `# Settings

<!-- Made by "npm run settings" from the code that checks manifests; a test fails when it is stale. -->

Manifests are YAML documents of the two kinds below. Fields of an EventSourceMapping's \`spec\` are AWS's parameters in
lower camel case, with AWS's defaults. \`millrace schema\` prints the same as a JSON Schema; an editor with YAML support
completes and checks fields of a manifest that begins with
\`# yaml-language-server: $schema=PATH/manifest.schema.json\`.

${kindSection("Function", resourceJsonSchema("Function"))}
${kindSection("EventSourceMapping", resourceJsonSchema("EventSourceMapping"))}
## millrace run

${flagTable(runCommand)}
${kindSection("LoadTest", scenarioJsonSchema() as SchemaNode)}
## millrace load

${flagTable(loadCommand)}`;
}

function flagTable({ flags }: Command): string {
  const lines = Object.entries(flags).map(([name, { short, value, description }]) => {
    const long = value === undefined ? `\`--${name}\`` : `\`--${name} ${value}\``;
    const forms = short === undefined ? long : `\`-${short}\`, ${long}`;
    return `| ${forms} | ${cell(description)} |\n`;
  });
  return `| flag | meaning |\n|---|---|\n${lines.join("")}`;
}

function kindSection(kind: string, schema: SchemaNode): string {
  const header = `## ${kind}\n\n${schema.description}\n\n| field | value | default | meaning |\n|---|---|---|---|\n`;
  return header + rows(schema, "").join("");
}

function rows(node: SchemaNode, prefix: string): string[] {
  const required = new Set(node.required ?? []);
  return Object.entries(node.properties ?? {}).flatMap(([name, property]) => {
    const path = prefix + name;
    const fallback = property.default === undefined ? "" : `\`${JSON.stringify(property.default)}\``;
    const initial = required.has(name) ? "required" : fallback;
    const row = `| \`${path}\` | ${valueForm(property)} | ${initial} | ${cell(property.description ?? "")} |\n`;
    const members = property.items?.properties === undefined ? [] : rows(property.items, `${path}[].`);
    return [row, ...rows(property, `${path}.`), ...members];
  });
}

function valueForm(node: SchemaNode): string {
  if (node.const !== undefined) return `\`${String(node.const)}\``;
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(", ");
  if (node.anyOf !== undefined) return node.anyOf.map(valueForm).join(" or ");
  if (node.type === "integer" || node.type === "number") return `${node.minimum} to ${node.maximum}`;
  if (node.type === "array")
    return node.items?.enum === undefined ? "list" : `list of ${valueForm(node.items)}`;
  if (node.type === "object") return "map";
  return node.type === "boolean" ? "true or false" : "text";
}

function cell(text: string): string {
  return text.replaceAll(/[|*<>]/g, "\\$&");
}

if (import.meta.main) writeFileSync(SETTINGS_FILE, settingsReference());
