import type { WrittenMapping } from "../ports/connector-parameters.ts";
import { valueAt } from "./issue-texts.ts";

/** A `spec` as somebody wrote it. */
export function writtenMapping(spec: unknown, folder: string): WrittenMapping {
  return { folder, raw: (...path) => valueAt(spec, path) };
}
