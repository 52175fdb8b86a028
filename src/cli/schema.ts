import { manifestJsonSchemaText } from "../manifests/json-schema.ts";
import { type Command, EXIT_OK } from "./command.ts";

export const schemaCommand: Command = {
  name: "schema",
  summary: "Prints the JSON Schema of manifests.",
  usage: "schema",
  details: "Prints the JSON Schema of one manifest document, which editors use to complete and check fields.",
  flags: {},
  run: async (_flags, host) => {
    host.stdout.write(manifestJsonSchemaText(host.adapters.connectors, host.adapters));
    return EXIT_OK;
  },
};
