import type { LoadResult } from "../load-result.ts";
export function reportHtml(result: LoadResult): string {
  return result.name;
}
