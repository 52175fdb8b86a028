import { readDocument } from "../../resources/document.ts";
import { FUNCTION_KIND, FUNCTION_KINDS } from "../../resources/kinds.ts";
import type { FunctionWriter } from "./function-writer.ts";

/**
 * Removes versions, aliases and settings of a function that is not there: a publish that came while it was deleted
 * leaves a version, which the next function of that name must not have. Others own theirs, which may come before it.
 */
export async function removeLeftovers(name: string, writer: FunctionWriter): Promise<void> {
  const rows = await writer.options.store.list(FUNCTION_KINDS);
  if (rows.some((row) => row.kind === FUNCTION_KIND && row.name === name)) return;
  for (const row of rows) {
    const isLeft = row.name.startsWith(`${name}:`) && readDocument(row.document)?.owner.kind === "api";
    if (isLeft) await writer.remove({ row });
  }
}
