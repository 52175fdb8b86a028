import { MillraceError } from "../model/errors.ts";
import { SNAPSHOT_BYTES_MAX, type StoredSnapshot } from "../ports/snapshot-store.ts";

/** @throws MillraceError ERR_MILLRACE_INVARIANT: whoever writes snapshots has to keep them small. */
export function checkSnapshot({ processId, document }: StoredSnapshot): void {
  if (document.byteLength <= SNAPSHOT_BYTES_MAX) return;
  throw new MillraceError(
    "ERR_MILLRACE_INVARIANT",
    `The snapshot of ${processId} would have ${document.byteLength} bytes; one has at most ${SNAPSHOT_BYTES_MAX}.`,
  );
}
