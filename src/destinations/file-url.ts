import { fileURLToPath } from "node:url";
import { MillraceError } from "../model/errors.ts";

/**
 * The path of a destination in the form `file:PATH` (as it stands, relative or absolute) or `file:///ABSOLUTE` (a URL,
 * percent-decoded); `undefined` for a destination of another kind.
 * @throws ERR_MILLRACE_CONFIG when it is a file destination without a usable path.
 */
export function filePathOf(destination: string): string | undefined {
  if (!destination.startsWith("file:")) return undefined;
  const path = destination.startsWith("file://") ? readUrl(destination) : destination.slice("file:".length);
  if (path === undefined || path === "" || path.endsWith("/")) {
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `"${destination.slice(0, 300)}" names no file. Write the destination as file:PATH or file:///ABSOLUTE/PATH.`,
    );
  }
  return path;
}

function readUrl(url: string): string | undefined {
  try {
    return fileURLToPath(url);
  } catch {
    return undefined;
  }
}
