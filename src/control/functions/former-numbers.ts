import { readDocument } from "../../resources/document.ts";
import { FORMER_FUNCTION_KIND } from "../../resources/kinds.ts";
import { membersOf } from "./function-fields.ts";
import type { FunctionWriter } from "./function-writer.ts";

/** Numbers of versions are never used again, also after the function is gone (invocation §10). */
export async function formerVersion(name: string, writer: FunctionWriter): Promise<number> {
  const rows = await writer.options.store.list([FORMER_FUNCTION_KIND]);
  const document = rows.find((row) => row.name === name)?.document;
  const read = document === undefined ? undefined : readDocument(document);
  return read === undefined ? 0 : membersOf(read).lastVersion;
}

/** For who makes a function of this name again. */
export async function keepNumber(name: string, lastVersion: number, writer: FunctionWriter): Promise<void> {
  if (lastVersion === 0) return;
  const { store, clock } = writer.options;
  const document = {
    spec: {},
    members: { lastVersion },
    owner: { kind: "api" as const },
    generation: 1,
    conditions: [],
    lastModifiedMs: clock.now(),
  };
  const row = (await store.list([FORMER_FUNCTION_KIND])).find((each) => each.name === name);
  if (row === undefined) {
    await writer.insert(FORMER_FUNCTION_KIND, name, document);
  } else {
    const text = writer.document(document);
    await store.replace({ ...row, document: text }, row.version);
  }
}
