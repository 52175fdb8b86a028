import { MillraceError } from "../model/errors.ts";
import { CELL_DOCUMENT_BYTES_MAX } from "../ports/cell-store.ts";

/** @throws MillraceError ERR_MILLRACE_INVARIANT: whoever writes cells has to keep them small. */
export function checkCellDocument(name: string, document: string | undefined): void {
  const bytes = document === undefined ? 0 : Buffer.byteLength(document);
  if (bytes <= CELL_DOCUMENT_BYTES_MAX) return;
  throw new MillraceError(
    "ERR_MILLRACE_INVARIANT",
    `The cell ${name} would have ${bytes} bytes; a cell has at most ${CELL_DOCUMENT_BYTES_MAX}.`,
  );
}
