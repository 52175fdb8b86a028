import { stringify } from "yaml";
import { API_VERSION } from "../manifests/schema.ts";
import { type ManifestResource, writtenTemplate } from "../sam/written-template.ts";
import { API_FLAGS, ApiClient, isObject } from "./api-client.ts";
import { type Command, EXIT_OK } from "./command.ts";
import { manifestText } from "./manifest-text.ts";
import { lastValue, usageError } from "./parse-flags.ts";

const FORMS: readonly string[] = ["manifests", "sam"];

export const exportCommand: Command = {
  name: "export",
  summary: "Prints what a running millrace runs as manifests, or as a template of SAM.",
  usage: "export [--as manifests|sam] [FLAGS]",
  details: `Prints functions and mappings of a running millrace, whoever declared them, as they are in force: manifests that make
the same of an empty store, or a template of SAM, with one remark on the error output for each thing that SAM cannot say.
Variables of functions stand in it, so the caller needs the role inspect. Paths are those of the host that it runs on.`,
  flags: { as: { value: "FORM", description: "manifests or sam. Default manifests." }, api: API_FLAGS.api },
  async run(flags, host) {
    const form = lastValue(flags, "as") ?? "manifests";
    if (!FORMS.includes(form))
      throw usageError(`--as is ${JSON.stringify(form.slice(0, 80))}. Give ${FORMS.join(" or ")}.`);
    const answer = await ApiClient.of(flags, host).export();
    const list: unknown = answer["resources"];
    const resources = (Array.isArray(list) ? list : []).filter(isResource);
    const unsaid: unknown = answer["unsaid"];
    for (const part of (Array.isArray(unsaid) ? unsaid : []).filter(isObject))
      host.stderr.write(`${String(part["kind"])} ${String(part["name"])}: ${String(part["message"])}.\n`);
    if (form === "manifests") {
      host.stdout.write(manifestText(resources.map(manifestOf)));
      return EXIT_OK;
    }
    const { template, remarks } = writtenTemplate(resources, host.adapters.connectors);
    for (const { kind, name, message } of remarks) host.stderr.write(`${kind} ${name}: ${message}.\n`);
    host.stdout.write(stringify(template, { lineWidth: 0, aliasDuplicateObjects: false }));
    return EXIT_OK;
  },
};

function manifestOf({ kind, name, spec }: ManifestResource): object {
  return { apiVersion: API_VERSION, kind, metadata: { name }, spec };
}

function isResource(value: unknown): value is ManifestResource {
  return (
    isObject(value) &&
    typeof value["kind"] === "string" &&
    typeof value["name"] === "string" &&
    isObject(value["spec"])
  );
}
