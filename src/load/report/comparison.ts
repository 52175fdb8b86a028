import type { LoadResult } from "../load-result.ts";
export function comparisonHtml(before: LoadResult, _after: LoadResult): string {
  return before.name;
}
export function formatComparison(before: LoadResult, _after: LoadResult): string {
  return before.name;
}
