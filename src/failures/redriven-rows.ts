import type { FailureIndex, FailureRow } from "../ports/failure-index.ts";

const PAGE_ROWS = 500;

/** All rows that a redrive has. */
export async function rowsOfRedrive(redriveId: string, index: FailureIndex): Promise<readonly FailureRow[]> {
  const rows: FailureRow[] = [];
  for (let after: FailureRow | undefined; ; ) {
    const page = await index.list({ redriveId, after, max: PAGE_ROWS });
    rows.push(...page);
    after = page.at(-1);
    if (after === undefined || page.length < PAGE_ROWS) return rows;
  }
}
