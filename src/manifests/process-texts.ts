import type { ManifestDocument } from "./manifest-document.ts";

const DEPTH_MAX = 12;

/** What a function's fields say becomes paths, arguments and variables of processes: those end at a zero byte. */
export function checkProcessTexts(document: ManifestDocument): void {
  check(document, ["spec"], document.raw("spec"));
}

function check(document: ManifestDocument, path: readonly PropertyKey[], value: unknown): void {
  if (typeof value === "string" && value.includes("\0")) {
    document.report(path, "This text has a zero byte, which no process can be given", "Leave it out");
    return;
  }
  if (typeof value !== "object" || value === null || path.length > DEPTH_MAX) return;
  for (const [name, member] of Object.entries(value)) {
    const at = [...path, Array.isArray(value) ? Number(name) : name];
    const isVariable = path.at(-1) === "environment";
    if (name.includes("\0") || (isVariable && (name === "" || name.includes("="))))
      document.report(at, "This is no name of a variable", "Give a name without = and zero bytes", "key");
    else check(document, at, member);
  }
}
