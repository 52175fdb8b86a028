import { pino } from "pino";
import type { LogLevel } from "../ports/telemetry.ts";
import type { LogWriter } from "./telemetry.ts";

/**
 * One JSON object a line on a file descriptor. Written synchronously: lines are rare, and the last one before a crash
 * is the one that is needed.
 */
export function createJsonLog(level: LogLevel, fileDescriptor = 2): LogWriter {
  const destination = pino.destination({ fd: fileDescriptor, sync: true });
  // A reader that has gone away must not end the engine.
  destination.on("error", () => undefined);
  const logger = pino(
    {
      level,
      base: null,
      messageKey: "message",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return (lineLevel, message, fields) => logger[lineLevel](fields, message);
}
