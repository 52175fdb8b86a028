import { inspect } from "node:util";
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
 * value that is no error. Lambda says `[object Object]` of an object that is none; what is in it is told as the stack.
 * Anything may be thrown, also objects that throw when they are looked at.
 */
export function describeThrown(thrown: unknown): RuntimeFailure {
  try {
    if (thrown instanceof Error || isErrorLike(thrown))
      return withStack({ errorType: String(thrown.name), message: String(thrown.message) }, stackOf(thrown));
    const stack = typeof thrown === "object" && thrown !== null ? `thrown: ${lookOf(thrown)}` : "";
    return withStack({ errorType: typeof thrown, message: textOf(thrown) }, stack);
  } catch {
    return { errorType: typeof thrown, message: "The function threw something that cannot be described." };
  }
}

function withStack(said: RuntimeFailure, stack: string): RuntimeFailure {
  return stack === "" ? said : { ...said, stack };
}

/** Also of what has no prototype, and of a Proxy, whose traps are not run. */
function textOf(thrown: unknown): string {
  return typeof thrown === "object" && thrown !== null && Object.getPrototypeOf(thrown) === null
    ? "[object Object]"
    : String(thrown);
}

const STACK_CHARS_MAX = 16 * 1024;
const CAUSES_MAX = 3;
/** Errors of an AggregateError: the addresses that a connection was tried to, for one. */
const MEMBERS_MAX = 3;
/** Frames of the runtime around the handler say nothing of its fault. */
const RUNTIME_FOLDER = new URL(".", import.meta.url).href;
const LOOK = { depth: 2, maxArrayLength: 20, maxStringLength: 1_000, customInspect: false } as const;

/** As V8 wrote it, without frames of the runtime; behind it what it is made of, and what caused it. */
function stackOf(thrown: object): string {
  const told: string[] = [];
  const seen = new Set<string>();
  const tell = (label: string, error: unknown) => {
    const stack = error === undefined || error === null ? "" : stackTextOf(error);
    if (stack === "" || seen.has(stack)) return;
    seen.add(stack);
    told.push(`${told.length === 0 ? "" : label}${withoutRuntime(stack)}`);
  };
  let error: unknown = thrown;
  for (let depth = 0; depth <= CAUSES_MAX && error !== undefined; depth++) {
    tell("Caused by: ", error);
    for (const member of membersOf(error)) tell("One of its errors: ", member);
    error = typeof error === "object" && error !== null && "cause" in error ? error.cause : undefined;
  }
  return told.join("\n").slice(0, STACK_CHARS_MAX);
}

/** A cause may be anything: what is no error has no stack, and is shown. */
function stackTextOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return lookOf(error);
  if (!("stack" in error)) return lookOf(error);
  return typeof error.stack === "string" ? error.stack : "";
}

function membersOf(error: unknown): readonly unknown[] {
  return error instanceof AggregateError && Array.isArray(error.errors)
    ? error.errors.slice(0, MEMBERS_MAX)
    : [];
}

function lookOf(value: unknown): string {
  return inspect(value, LOOK).slice(0, STACK_CHARS_MAX);
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
