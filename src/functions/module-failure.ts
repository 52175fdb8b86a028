import type { RuntimeFailure } from "./module-messages.ts";

/** A failure of the runtime around a handler, with one of Lambda's error types. */
export class RuntimeError extends Error {
  /** `cause`: what the module threw; its stack is told, and not that of the runtime. */
  constructor(errorType: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = errorType;
    this.stack = cause instanceof Error && typeof cause.stack === "string" ? cause.stack : "";
  }
}

/**
 * Error type and message of whatever a handler threw, as Lambda's runtime tells them: an error's name, or the type of a
 * value that is no error. Anything may be thrown, also objects that throw when they are looked at.
 */
export function describeThrown(thrown: unknown): RuntimeFailure {
  try {
    if (thrown instanceof Error || isErrorLike(thrown)) {
      const stack = stackOf(thrown);
      const said = { errorType: String(thrown.name), message: String(thrown.message) };
      return stack === "" ? said : { ...said, stack };
    }
    return { errorType: typeof thrown, message: String(thrown) };
  } catch {
    return { errorType: typeof thrown, message: "The function threw something that cannot be described." };
  }
}

const STACK_CHARS_MAX = 16 * 1024;
const CAUSES_MAX = 3;
/** Frames of the runtime around the handler say nothing of its fault. */
const RUNTIME_FOLDER = new URL(".", import.meta.url).href;

/** As V8 wrote it, without frames of the runtime; behind it the stacks of what caused it. */
function stackOf(thrown: object): string {
  const stacks: string[] = [];
  let error: unknown = thrown;
  for (let depth = 0; depth <= CAUSES_MAX; depth++) {
    if (typeof error !== "object" || error === null) break;
    const stack = "stack" in error ? error.stack : undefined;
    if (typeof stack === "string" && stack !== "" && !stacks.includes(stack)) stacks.push(stack);
    error = "cause" in error ? error.cause : undefined;
  }
  return stacks.map(withoutRuntime).join("\nCaused by: ").slice(0, STACK_CHARS_MAX);
}

/** What stands behind the first frame of the runtime has called it. */
function withoutRuntime(stack: string): string {
  const lines = stack.slice(0, STACK_CHARS_MAX).split("\n");
  const first = lines.findIndex((line) => line.includes(RUNTIME_FOLDER));
  return (first < 0 ? lines : lines.slice(0, first)).join("\n");
}

/** Errors of another realm, and look-alikes. */
function isErrorLike(thrown: unknown): thrown is { name: unknown; message: unknown } {
  return typeof thrown === "object" && thrown !== null && "name" in thrown && "message" in thrown;
}
