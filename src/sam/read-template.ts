import { API_VERSION } from "../manifests/schema.ts";
import type { TemplateDocuments } from "../manifests/template-reader.ts";
import type { YamlDocument } from "../manifests/yaml-documents.ts";
import type { TemplateResource } from "./context.ts";
import { isTemplate } from "./template.ts";
import { placeIn, plain } from "./template-value.ts";
import { type TemplateOptions, templateResources } from "./to-resources.ts";

/** A template as the manifests that it is worth, each value at its place in the template. */
export function readTemplate(text: string, options: TemplateOptions): TemplateDocuments | undefined {
  if (!isTemplate(text)) return undefined;
  const { resources, remarks, faults } = templateResources(text, options);
  const problems = faults.map((fault) => ({ ...fault, field: undefined }));
  return { documents: problems.length > 0 ? [] : resources.map(documentOf), problems, remarks };
}

/** The document of a manifest, as its file has it. */
export function manifestOf({ kind, name, spec }: TemplateResource) {
  return { apiVersion: API_VERSION, kind, metadata: { name }, spec: plain(spec) };
}

function documentOf(resource: TemplateResource): YamlDocument {
  return {
    value: manifestOf(resource),
    place: ([section, ...path], part) =>
      section === "spec" ? placeIn(resource.spec, path, part) : resource.place,
  };
}
