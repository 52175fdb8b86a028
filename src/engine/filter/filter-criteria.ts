import { MillraceError } from "../../model/errors.ts";
import type { FilterDocument } from "../../ports/stream-source.ts";

export interface FilterMatcher {
  matches(document: FilterDocument): boolean;
}

export function compileFilterCriteria(patterns: readonly string[], dataKey: string): FilterMatcher {
  throw new MillraceError(
    "ERR_MILLRACE_FILTER_PATTERN",
    `filter patterns are not supported yet (${patterns.length} patterns on ${dataKey}): remove filterCriteria`,
  );
}
