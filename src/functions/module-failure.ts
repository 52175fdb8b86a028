import type { RuntimeFailure } from "./module-messages.ts";

/** A failure of the runtime around a handler, with one of Lambda's error types. */
export class RuntimeError extends Error {
  constructor(errorType: string, message: string) {
    super(message);
    this.name = errorType;
  }
}

/**
 * Error type and message of whatever a handler threw, as Lambda's runtime tells them: an error's name, or the type of a
 * value that is no error. Anything may be thrown, also objects that throw when they are looked at.
 */
export function describeThrown(thrown: unknown): RuntimeFailure {
  try {
    if (thrown instanceof Error || isErrorLike(thrown)) {
      return { errorType: String(thrown.name), message: String(thrown.message) };
    }
    return { errorType: typeof thrown, message: String(thrown) };
  } catch {
    return { errorType: typeof thrown, message: "The function threw something that cannot be described." };
  }
}

/** Errors of another realm, and look-alikes. */
function isErrorLike(thrown: unknown): thrown is { name: unknown; message: unknown } {
  return typeof thrown === "object" && thrown !== null && "name" in thrown && "message" in thrown;
}
