import { z } from "zod";
import { describeIssue, valueAt } from "../manifests/issue-texts.ts";
import { formatPath } from "../manifests/manifest-document.ts";
import { readManifestFiles } from "../manifests/manifest-files.ts";
import type { ManifestProblem } from "../manifests/problem.ts";
import { parseYamlDocuments, type YamlDocument } from "../manifests/yaml-documents.ts";
import type { FieldSchema } from "../model/field-schema.ts";
import { checkScenario } from "./scenario-checks.ts";
import { type Scenario, scenarioSchema } from "./scenario-schema.ts";

export interface ScenarioFile {
  readonly file: string;
  /** What relative paths in it start from; absolute. */
  readonly folder: string;
  /** As written, for the report. */
  readonly text: string;
  readonly scenario: Scenario;
  /** A problem at a field of this scenario, for what is found out later. */
  problem(path: readonly PropertyKey[], message: string, remedy: string): ManifestProblem;
}

export type LoadedScenario =
  | { readonly kind: "valid"; readonly scenario: ScenarioFile }
  | { readonly kind: "invalid"; readonly problems: readonly ManifestProblem[] };

/** Reads and checks a scenario. Nothing is opened or started beyond that. */
export function loadScenario(path: string): LoadedScenario {
  const { texts, problems } = readManifestFiles([path]);
  const [first] = texts;
  if (first === undefined) return { kind: "invalid", problems };
  const { file, folder, text } = first;
  const yaml = parseYamlDocuments(text);
  for (const problem of yaml.problems) problems.push({ file, field: undefined, ...problem });
  const [document, second] = yaml.documents;
  const extra = second?.place([]) ?? (texts.length > 1 ? { line: 1, column: 1 } : undefined);
  if (problems.length === 0 && (document === undefined || extra !== undefined)) {
    problems.push({
      file,
      place: extra,
      field: undefined,
      message: document === undefined ? "There is no scenario here" : "There is more than one scenario here",
      remedy: "A file holds one document of kind LoadTest; millrace load --example prints one",
    });
  }
  if (document === undefined || problems.length > 0) return { kind: "invalid", problems };
  return checkDocument(document, { file, folder, text });
}

export function scenarioJsonSchema(): Record<string, unknown> {
  const { $schema, ...rest } = z.toJSONSchema(scenarioSchema, { io: "input", target: "draft-7" });
  return {
    $schema,
    $id: "https://millrace.dev/schema/v1/load-test.schema.json",
    title: "Millrace load test",
    ...rest,
  };
}

export function scenarioJsonSchemaText(): string {
  return `${JSON.stringify(scenarioJsonSchema(), undefined, 2)}\n`;
}

/** What is wrong with a value of several forms is told of its last form, the one with fields. */
function issuesOf(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== "invalid_union") return [issue];
  return (issue.errors.at(-1) ?? []).map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
}

function checkDocument(
  document: YamlDocument,
  origin: Pick<ScenarioFile, "file" | "folder" | "text">,
): LoadedScenario {
  const problem = (
    path: readonly PropertyKey[],
    message: string,
    remedy: string,
    part?: "key" | "value",
  ): ManifestProblem => ({
    file: origin.file,
    place: document.place(path, part),
    field: path.length === 0 ? undefined : formatPath(path),
    message,
    remedy,
  });
  const kind = valueAt(document.value, ["kind"]);
  if (kind !== "LoadTest") {
    const remedy = "A scenario has kind: LoadTest; manifests are for millrace run";
    const message = kind === undefined ? "The document has no kind" : "The document is not a load test";
    return { kind: "invalid", problems: [problem(kind === undefined ? [] : ["kind"], message, remedy)] };
  }
  const parsed = scenarioSchema.safeParse(document.value);
  if (!parsed.success) {
    const schema = scenarioJsonSchema() as FieldSchema;
    const issues = parsed.error.issues.flatMap(issuesOf);
    const texts = issues.flatMap((issue) => describeIssue(issue, document.value, schema));
    const problems = texts.map(({ path, message, remedy, part }) => problem(path, message, remedy, part));
    return { kind: "invalid", problems };
  }
  const found = checkScenario(parsed.data).map(({ path, message, remedy }) => problem(path, message, remedy));
  if (found.length > 0) return { kind: "invalid", problems: found };
  return { kind: "valid", scenario: { ...origin, scenario: parsed.data, problem } };
}
