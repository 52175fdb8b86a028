import { readFileSync } from "node:fs";
import { formatProblem } from "../manifests/problem.ts";
import { MANIFEST_BYTES_MAX } from "../manifests/yaml-documents.ts";
import { describeError } from "../model/errors.ts";
import { manifestOf } from "../sam/read-template.ts";
import { isTemplate } from "../sam/template.ts";
import { templateResources } from "../sam/to-resources.ts";
import { type Command, type CommandGroup, EXIT_BAD_INPUT, EXIT_OK } from "./command.ts";
import { ENDPOINT_FLAG } from "./endpoint-flags.ts";
import { manifestText } from "./manifest-text.ts";
import { lastValue, usageError } from "./parse-flags.ts";
import { PLACE_FLAGS } from "./place-flags.ts";
import { TEMPLATE_FLAGS, templateOptions } from "./template-flags.ts";

const importSamCommand: Command = {
  name: "import sam",
  summary: "Prints a template of SAM or CloudFormation as manifests.",
  usage: "import sam FILE [FLAGS]",
  details: `Reads a template in YAML or JSON and prints what of it runs here as manifests, and one remark on the error output for
each thing that does not, with its line. run, dev, validate and diff take templates as they are (-f template.yaml).
Paths stay relative to the template's folder. Exit status 0: read, with or without remarks, 2: something is wrong in it.`,
  words: { FILE: { isRequired: true, description: "The template." } },
  flags: { ...TEMPLATE_FLAGS, endpoint: ENDPOINT_FLAG, ...PLACE_FLAGS },
  async run(flags, host) {
    const file = lastValue(flags, "FILE") ?? "";
    const text = readTemplateFile(file);
    if (!isTemplate(text)) throw usageError(`${file} is no template: it has no Resources at its top.`);
    const { resources, remarks, faults } = templateResources(text, templateOptions(flags, host));
    for (const remark of remarks) host.stderr.write(`${formatProblem({ file, ...remark })}\n`);
    for (const fault of faults) host.stderr.write(`${formatProblem({ file, field: undefined, ...fault })}\n`);
    if (faults.length > 0) return EXIT_BAD_INPUT;
    host.stdout.write(manifestText(resources.map(manifestOf)));
    return EXIT_OK;
  },
};

export const importGroup: CommandGroup = {
  name: "import",
  summary: "Prints what other tools wrote as manifests.",
  commands: [importSamCommand],
};

function readTemplateFile(file: string): string {
  try {
    const bytes = readFileSync(file);
    if (bytes.length > MANIFEST_BYTES_MAX)
      throw usageError(`${file} has ${bytes.length} bytes; at most ${MANIFEST_BYTES_MAX} are read.`);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw usageError(`${file} cannot be read: ${describeError(error)}`);
  }
}
