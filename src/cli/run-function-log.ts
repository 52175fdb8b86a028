import { FunctionLogBook } from "../control/logs/function-log-book.ts";
import type { Clock } from "../ports/clock.ts";
import type { FunctionLog } from "../ports/function-log.ts";
import { Redactor } from "../secrets/redactor.ts";
import type { RunTelemetry } from "./adapters.ts";

export interface RunFunctionLog extends FunctionLog {
  readonly book: FunctionLogBook;
}

/**
 * What functions of this process print: on its terminal behind their names, and in a book for those who look. What is
 * said of each call, `START`, `END` and `REPORT`, is in the book alone.
 */
export function openFunctionLog({
  clock,
  show,
  telemetry,
}: {
  readonly clock: Clock;
  show(line: string): void;
  readonly telemetry: Pick<RunTelemetry, "functionLine">;
}): RunFunctionLog {
  const book = new FunctionLogBook({ clock, redact: new Redactor().redact });
  return {
    book,
    line(line) {
      book.line(line);
      if (line.stream === "platform") return;
      telemetry.functionLine(line.fn, line.text);
      show(`[${line.fn}] ${line.text}`);
    },
  };
}
