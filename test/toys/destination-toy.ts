import { appendFile } from "node:fs/promises";
import { resolve } from "node:path";
import { MillraceError } from "../../src/model/errors.ts";
import type { Destination } from "../../src/ports/destination.ts";
import type { DestinationKind } from "../../src/ports/destination-kind.ts";

/** A toy: a failure destination in a file. No other file of the repository holds its words. */

/** What the tests look for. */
export const DESTINATION_TOY = {
  word: /whirl-?pool/i,
  uri: (path: string) => `whirlpool:${path}`,
  nowhere: "A whirlpool needs a place",
  form: "whirlpool:PATH",
} as const;

const whirlpool: DestinationKind = {
  form: DESTINATION_TOY.form,
  description: "Appends the record as a line to the file.",
  read(text, folder) {
    const path = /^whirlpool:(.*)$/s.exec(text)?.[1];
    if (path === undefined) return undefined;
    return path === ""
      ? { kind: "problem", problem: DESTINATION_TOY.nowhere }
      : { kind: "place", uri: DESTINATION_TOY.uri(resolve(folder, path)) };
  },
  open: openToyDestination,
};

export const DESTINATIONS = [whirlpool];

export async function openToyDestination(uri: string): Promise<Destination> {
  const path = uri.slice(DESTINATION_TOY.uri("").length);
  return {
    async deliver(envelope, signal) {
      if (signal.aborted)
        throw new MillraceError("ERR_MILLRACE_ABORTED", "Nobody throws anything in any more.");
      const line = { id: envelope.id, document: JSON.parse(envelope.text("metadata")) };
      await appendFile(path, `${JSON.stringify(line)}\n`).catch((cause: unknown) => {
        throw new MillraceError("ERR_MILLRACE_DESTINATION_UNAVAILABLE", "The whirlpool is dry.", { cause });
      });
    },
    close: async () => undefined,
  };
}
