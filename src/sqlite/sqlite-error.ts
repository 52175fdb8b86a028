/** SQLite's primary result codes that callers tell apart. */
export const SQLITE_BUSY = 5;
export const SQLITE_IOERR = 10;
export const SQLITE_CORRUPT = 11;
export const SQLITE_NOTADB = 26;

/** The primary result code, without the extension bits; `undefined`: not an error of SQLite's. */
export function sqliteErrorCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number")
    return undefined;
  return error.errcode & 0xff;
}

/** An error of SQLite's (also: a file that was closed) or of a system call; not a defect of ours. */
export function isStorageError(error: unknown): error is Error {
  if (!(error instanceof Error) || !("code" in error)) return false;
  return error.code === "ERR_SQLITE_ERROR" || error.code === "ERR_INVALID_STATE" || "syscall" in error;
}
