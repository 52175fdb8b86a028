import { BoundedOutput } from "./bounded-output.ts";

/** What may wait for whoever reads logs and what functions print. */
const UNREAD_BYTES_MAX = 1024 * 1024;

let errorOutput: BoundedOutput | undefined;

/**
 * The one way to standard error: whoever wrote past it would wait for a reader that stands still, or keep lines without
 * end.
 */
export function standardError(): BoundedOutput {
  errorOutput ??= new BoundedOutput({
    target: process.stderr,
    bytesMax: UNREAD_BYTES_MAX,
    notice: (lines) => {
      const time = new Date().toISOString();
      const message = "lines of the log and of functions were dropped, since nobody read them in time";
      return `${JSON.stringify({ level: "warn", time, lines, message })}\n`;
    },
  });
  return errorOutput;
}
