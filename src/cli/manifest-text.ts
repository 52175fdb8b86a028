import { stringify } from "yaml";

/** Documents of manifests as a file has them. */
export function manifestText(documents: readonly object[]): string {
  return documents
    .map((document) => stringify(document, { lineWidth: 0, aliasDuplicateObjects: false }))
    .join("---\n");
}
