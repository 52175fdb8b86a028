import type { Connector } from "../ports/connector.ts";
import { type BroughtKinds, withBrought } from "./brought-kinds.ts";
import { manifestSchemas } from "./schema.ts";

/** The published schema of one manifest document, for editors and other tools: `millrace schema` prints it. */
export function manifestJsonSchemaText(connectors: readonly Connector[], brought: BroughtKinds = {}): string {
  const whole = withBrought(manifestSchemas(connectors).json("whole"), brought);
  const { $schema, ...rest } = whole as Readonly<Record<string, unknown>>;
  const schema = {
    $schema,
    $id: "https://millrace.dev/schema/v1/manifest.schema.json",
    title: "Millrace manifest",
    description: "One YAML document of a millrace manifest.",
    ...rest,
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}
