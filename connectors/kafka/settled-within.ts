import { firstOf, type Interruption, whenAborted } from "../../src/lib/first-of.ts";
import { abortedError } from "./fault.ts";

export type Outcome<T> =
  | { readonly failed: false; readonly value: T }
  | { readonly failed: true; readonly error: unknown };

/** One timer and one listener for a read that has to wait; the promise lives on. */
export function settledWithin<T>(
  promise: Promise<T>,
  waitMs: number,
  signal: AbortSignal,
): Promise<Outcome<T> | "waiting"> {
  const outcome: Promise<Outcome<T>> = promise.then(
    (value) => ({ failed: false, value }),
    (error: unknown) => ({ failed: true, error }),
  );
  const whenTimeIsUp: Interruption<"waiting"> = ({ resolve }) => {
    const timer = setTimeout(() => resolve("waiting"), waitMs);
    return () => clearTimeout(timer);
  };
  return firstOf(outcome, whenTimeIsUp, whenAborted(signal, abortedError));
}
