import { pino } from "pino";
import type { LogLevel } from "../ports/telemetry.ts";
import type { LogWriter } from "./telemetry.ts";

/** Takes whole lines. It must not wait for whoever reads them: the engine would wait too. */
export interface LineOutput {
  write(line: string): unknown;
}

/** One JSON object a line. */
export function createJsonLog(level: LogLevel, output: LineOutput): LogWriter {
  const logger = pino(
    {
      level,
      base: null,
      messageKey: "message",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => void output.write(line) },
  );
  return (lineLevel, message, fields) => logger[lineLevel](fields, message);
}
