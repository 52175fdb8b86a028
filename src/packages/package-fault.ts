import { MillraceError } from "../model/errors.ts";

const SHOWN_CHARS_MAX = 200;

/** An archive is refused. `where`: the entry, if it is one. */
export function packageFault(
  archive: string,
  where: string | undefined,
  what: string,
  remedy: string,
): MillraceError {
  const entry = where === undefined ? "" : `, entry ${shownName(where)}`;
  return new MillraceError("ERR_MILLRACE_PACKAGE", `${archive}${entry}: ${what}. ${remedy}.`);
}

/** Names come from strangers: control characters must not reach a terminal. */
export function shownName(name: string): string {
  return JSON.stringify(name.slice(0, SHOWN_CHARS_MAX));
}
