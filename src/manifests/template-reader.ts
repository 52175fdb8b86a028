import type { ManifestFile } from "./manifest-document.ts";
import type { ManifestProblem } from "./problem.ts";
import type { YamlDocument } from "./yaml-documents.ts";

/** What a file says that is written as another tool has it, in the form of manifests. */
export interface TemplateDocuments {
  readonly documents: readonly YamlDocument[];
  readonly problems: readonly TemplateFinding[];
  /** What it says and manifests do not take over. */
  readonly remarks: readonly TemplateFinding[];
}

export type TemplateFinding = Omit<ManifestProblem, "file">;

/** Reads a template of another tool; `undefined`: the file is a manifest. */
export type ReadTemplate = (text: string, file: ManifestFile) => TemplateDocuments | undefined;
