import { customResourcesText } from "../manifests/custom-resources.ts";
import { manifestJsonSchemaText } from "../manifests/json-schema.ts";
import { type Command, EXIT_OK } from "./command.ts";

export const schemaCommand: Command = {
  name: "schema",
  summary: "Prints the JSON Schema of manifests, or their custom resources.",
  usage: "schema [--custom-resources]",
  details:
    "Prints the JSON Schema of one manifest document, which editors use to complete and check fields.\n" +
    "With --custom-resources: the definitions of the custom resources, for kubectl apply --server-side -f -.",
  flags: {
    "custom-resources": { description: "Print CustomResourceDefinitions of Kubernetes, as YAML." },
  },
  run: async (flags, host) => {
    const { adapters, stdout } = host;
    const text = flags.has("custom-resources")
      ? customResourcesText(adapters.connectors, adapters)
      : manifestJsonSchemaText(adapters.connectors, adapters);
    stdout.write(text);
    return EXIT_OK;
  },
};
