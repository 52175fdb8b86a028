import type { Readable } from "node:stream";

/** A longer line is cut into pieces of this length: a function must not fill the memory by never ending a line. */
const LINE_CHARS_MAX = 16 * 1024;

/** Calls `onLine` for each line of a stream, without its end. */
export function forwardLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
    while (rest.length > LINE_CHARS_MAX) {
      onLine(rest.slice(0, LINE_CHARS_MAX));
      rest = rest.slice(LINE_CHARS_MAX);
    }
  });
  stream.on("end", () => {
    if (rest !== "") onLine(rest);
    rest = "";
  });
}
