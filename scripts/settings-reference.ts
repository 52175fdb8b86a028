/** Makes `docs/settings.md` from the manifests' JSON Schema and the flags of `millrace run`: `npm run settings`. */
import { writeFileSync } from "node:fs";
import { CONNECTORS } from "../connectors/registry.ts";
import type { Command } from "../src/cli/command.ts";
import { loadCommand } from "../src/cli/load.ts";
import { runCommand } from "../src/cli/run.ts";
import { scenarioJsonSchema } from "../src/load/load-scenario.ts";
import { type BroughtKinds, withBrought } from "../src/manifests/brought-kinds.ts";
import { manifestSchemas, type ResourceKind } from "../src/manifests/schema.ts";
import { formsOf } from "../src/manifests/source-forms.ts";
import type { FieldSchema } from "../src/model/field-schema.ts";
import type { Connector } from "../src/ports/connector.ts";

export const SETTINGS_FILE = new URL("../docs/settings.md", import.meta.url);

/** With the fields of these connectors, and with kinds of functions and destinations that modules bring. */
export function settingsReference(connectors: readonly Connector[], brought: BroughtKinds = {}): string {
  const schemas = manifestSchemas(connectors);
  const schemaOf = (kind: ResourceKind) => withBrought(schemas.json(kind), brought);
  return `# Settings

<!-- Made by "npm run settings" from the code that checks manifests; a test fails when it is stale. -->

Manifests are YAML documents of the kinds below. Fields of an EventSourceMapping's \`spec\` are AWS's parameters in
lower camel case, with AWS's defaults. \`millrace schema\` prints the same as a JSON Schema; an editor with YAML support
completes and checks fields of a manifest that begins with
\`# yaml-language-server: $schema=PATH/manifest.schema.json\`. Each entry says what a field takes, its default if it has
one, and what it means.

${kindSection("Function", schemaOf("Function"))}
${kindSection("EventSourceMapping", schemaOf("EventSourceMapping"))}
${kindSection("Route", schemaOf("Route"))}
${kindSection("Schedule", schemaOf("Schedule"))}
${kindSection("Rule", schemaOf("Rule"))}
## Sources

What a mapping may read. Streams and queues take AWS's parameters of their kind; what is special to one stands with the
fields above.

${connectors.map(sourceEntry).join("")}
## millrace run

${flagList(runCommand)}
${kindSection("LoadTest", scenarioJsonSchema() as FieldSchema)}
## millrace load

${flagList(loadCommand)}`;
}

function sourceEntry(connector: Connector): string {
  const { kind, offers, parameters } = connector;
  const positions =
    connector.offers === "stream" ? [`Begins at ${connector.startingPositions.join(", ")}.`] : [];
  const fields = Object.keys(parameters.fields);
  const parts = [
    `${offers} of ${parameters.title}. Named by ${formsOf([connector]).join(" or ")}.`,
    ...positions,
    ...(fields.length === 0 ? [] : [`Fields of its own: ${fields.join(", ")}.`]),
    ...(parameters.actions === undefined ? [] : [`Permissions: ${parameters.actions.join(", ")}.`]),
  ];
  return entry(`\`${kind}\`:`, parts.join(" "));
}

function flagList({ flags }: Command): string {
  const entries = Object.entries(flags).map(([name, { short, value, description }]) => {
    const long = value === undefined ? `\`--${name}\`` : `\`--${name} ${value}\``;
    return entry(`${short === undefined ? long : `\`-${short}\`, ${long}`}:`, description);
  });
  return entries.join("");
}

function kindSection(kind: string, schema: FieldSchema): string {
  return `## ${kind}\n\n${wrapped(markdown(schema.description ?? ""), "")}\n${entries(schema, "").join("")}`;
}

function entries(node: FieldSchema, prefix: string): string[] {
  const fields = node.anyOf?.find(({ properties }) => properties !== undefined) ?? node;
  const required = new Set(fields.required ?? []);
  return Object.entries(fields.properties ?? {}).flatMap(([name, property]) => {
    const path = prefix + name;
    const isRequired = required.has(name);
    const initial = property.default === undefined ? "" : `, default \`${JSON.stringify(property.default)}\``;
    const takes = valueForm(property) + (isRequired ? ", required" : initial);
    const own = entry(`\`${path}\`: ${takes}.`, property.description ?? "");
    const members = property.items?.properties === undefined ? [] : entries(property.items, `${path}[].`);
    return [own, ...entries(property, `${path}.`), ...members];
  });
}

/** An item of a list, wrapped. */
function entry(head: string, description: string): string {
  return wrapped(`- ${head} ${markdown(description)}`, "  ");
}

const LINE_CHARS_MAX = 120;

function wrapped(text: string, indent: string): string {
  const [first = "", ...words] = text.trim().split(/\s+/);
  const lines = [first];
  for (const word of words) {
    const longer = `${lines.at(-1)} ${word}`;
    // A mark of a list at the beginning of a line would begin one.
    if (longer.length <= LINE_CHARS_MAX || /^([-+*#]|1\.)$/.test(word)) lines[lines.length - 1] = longer;
    else lines.push(indent + word);
  }
  return `${lines.join("\n")}\n`;
}

function valueForm(node: FieldSchema): string {
  if (node.const !== undefined) return `\`${String(node.const)}\``;
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(", ");
  if (node.anyOf !== undefined) return node.anyOf.map(valueForm).join(" or ");
  if (node.type === "integer" || node.type === "number") return `${node.minimum} to ${node.maximum}`;
  if (node.type === "array")
    return node.items?.enum === undefined ? "list" : `list of ${valueForm(node.items)}`;
  if (node.type === "object") return "map";
  return node.type === "boolean" ? "true or false" : "text";
}

function markdown(text: string): string {
  return text.replaceAll(/[*<>]/g, "\\$&");
}

if (import.meta.main) writeFileSync(SETTINGS_FILE, settingsReference(CONNECTORS));
