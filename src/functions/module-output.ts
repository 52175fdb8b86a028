import type { RuntimeMessage } from "./module-messages.ts";

/** What one invocation may print; the rest is dropped. The other side has no way to slow a thread that prints. */
const PRINTED_CHARS_MAX = 1024 * 1024;

export interface OutputCapture {
  /** Gives the allowance of an invocation. */
  restart(): void;
}

/**
 * Sends what the module prints over the worker's port, where it keeps its place before the answer and is not lost when
 * the thread ends. A worker's own output streams are later than its answers, and reading them keeps the process alive.
 */
export function captureOutput(post: (message: RuntimeMessage) => void): OutputCapture {
  let allowance = PRINTED_CHARS_MAX;
  for (const stream of ["stdout", "stderr"] as const) {
    const write = (chunk: unknown, ...rest: readonly unknown[]): boolean => {
      const text = chunk instanceof Uint8Array ? Buffer.from(chunk).toString() : String(chunk);
      if (allowance > 0) {
        post({ kind: "printed", stream, text: text.slice(0, allowance) });
        allowance -= text.length;
        if (allowance <= 0) post({ kind: "printed", stream, text: DROPPED });
      }
      const done = rest.find((argument) => typeof argument === "function");
      if (done !== undefined) process.nextTick(done);
      return true;
    };
    process[stream].write = write as typeof process.stdout.write;
  }
  return {
    restart() {
      allowance = PRINTED_CHARS_MAX;
    },
  };
}

const DROPPED = `\nThe function printed more than ${PRINTED_CHARS_MAX} characters in one invocation; the rest is dropped.\n`;
