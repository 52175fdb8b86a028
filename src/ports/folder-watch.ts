/**
 * Notices that something in one of some folders may be another. It is a hint that comes early: it may be wrong, and it
 * may not come at all (networked file systems, limits of the host), so that whoever needs to know also looks.
 */
export interface FolderWatch {
  /** The folders from now on, in the place of those before. One that is not there is none. */
  watch(folders: ReadonlySet<string>): void;
  /** Idempotent. */
  close(): void;
}
