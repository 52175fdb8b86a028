import { packageFault } from "./package-fault.ts";

/** File systems take no longer names. */
const PART_BYTES_MAX = 255;
const PATH_BYTES_MAX = 1024;
const PACK_ANEW = "Pack the archive anew, from inside the folder of the code";

/** Parts of a path below the archive's root; none for the root itself. @throws MillraceError ERR_MILLRACE_PACKAGE */
export function entryParts(archive: string, name: string): readonly string[] {
  const refuse = (what: string, remedy = PACK_ANEW) => packageFault(archive, name, what, remedy);
  // plant: a-zip-may-write-beside-its-folder
  if (name.split("/").includes("..")) throw refuse("its name leads out of the archive's folder by ..");
  if (name.includes("\0")) throw refuse("its name has a NUL character", "Rename the file");
  if (name.includes("\\"))
    throw refuse(
      "its name has a backslash",
      "Pack the archive with / between folders, as the format demands",
    );
  if (name.startsWith("/") || /^[A-Za-z]:/.test(name)) throw refuse("its name is an absolute path");
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  const isLong =
    Buffer.byteLength(parts.join("/")) > PATH_BYTES_MAX ||
    parts.some((part) => Buffer.byteLength(part) > PART_BYTES_MAX);
  if (isLong) {
    const bounds = `${PATH_BYTES_MAX} bytes in all, or ${PART_BYTES_MAX} between two /`;
    throw refuse(`its name is longer than ${bounds}`, "Shorten the names of files and folders");
  }
  return parts;
}

/** What names have in common that are one name on file systems without case. */
export function foldedName(path: string): string {
  return path.normalize("NFC").toLowerCase();
}
