/** Lambda's: all files of a package together, unpacked. */
export const UNPACKED_BYTES_MAX = 262_144_000;
export const FILES_MAX = 50_000;
/** Unpacked bytes for one of the archive. Code and its packages have 3 to 10; only bombs have more. */
export const RATIO_MAX = 100;
/** An archive is in memory while it is looked at. */
export const ARCHIVE_BYTES_MAX = 262_144_000;
export const LINK_BYTES_MAX = 1024;
