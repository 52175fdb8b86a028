import { describeError } from "../model/errors.ts";

const fatalListeners = new Set<(error: unknown) => void>();
let guardsProcess = false;

/** Ends this process with what nobody caught, and at a reader of its output that went away. */
export function guardProcess(): void {
  if (guardsProcess) return;
  guardsProcess = true;
  process.on("uncaughtException", endOnFatal);
  process.on("unhandledRejection", endOnFatal);
  process.stdout.on("error", endOnClosedPipe);
  // Losing the reader of the logs must not stop the engine.
  process.stderr.on("error", () => undefined);
}

/** Calls back before the process ends with what nobody caught. Gives what takes that back. */
export function onFatal(listener: (error: unknown) => void): () => void {
  fatalListeners.add(listener);
  return () => fatalListeners.delete(listener);
}

/** A process in which something was left unhandled cannot be trusted: it ends, and its supervisor restarts it. */
function endOnFatal(error: unknown): void {
  for (const listener of fatalListeners) listener(error);
  if (fatalListeners.size === 0) {
    process.stderr.write(`millrace: ${error instanceof Error ? error.stack : describeError(error)}\n`);
  }
  process.exit(1);
}

/** A reader that went away, as in `millrace schema | head`, is no failure; nobody is left to read of it either. */
function endOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
}
