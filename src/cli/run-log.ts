import type { LogLevel } from "../ports/telemetry.ts";
import type { LogWriter } from "./adapters.ts";
import type { CliHost } from "./command.ts";
import type { ProgressDisplay } from "./progress-display.ts";
import { formatLogLine } from "./terminal-text.ts";

/** Lines for people, above the display on a terminal; JSON where there is nobody to read them. */
export function createLog(
  display: Pick<ProgressDisplay, "line"> | undefined,
  level: LogLevel,
  { adapters }: CliHost,
): LogWriter {
  if (display === undefined) return adapters.createJsonLog(level);
  const shown = LEVELS_FROM[level];
  return (lineLevel, message, fields) => {
    // Failures of functions are told to people by their texts and counts.
    if (!shown.includes(lineLevel) || fields["errorId"] !== undefined) return;
    display.line(formatLogLine(adapters.clock.now(), lineLevel, message, fields));
  };
}

const LEVELS_FROM: Readonly<Record<LogLevel, readonly LogLevel[]>> = {
  debug: ["debug", "info", "warn", "error"],
  info: ["info", "warn", "error"],
  warn: ["warn", "error"],
  error: ["error"],
};
