import { firstOf, type Interruption } from "../lib/first-of.ts";

const ANSWER_MS_MAX = 15_000;

/** A broker that does not answer is one that is away. */
export function inTime<T>(work: Promise<T>): Promise<T> {
  const whenLate: Interruption<never> = ({ reject }) => {
    const timer = setTimeout(() => reject(new Error("the broker did not answer in time")), ANSWER_MS_MAX);
    return () => clearTimeout(timer);
  };
  return firstOf(work, whenLate);
}
