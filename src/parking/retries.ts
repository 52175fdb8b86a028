import { backoffMs } from "../lib/back-off.ts";
import { sleep } from "../lib/sleep.ts";
import { describeError } from "../model/errors.ts";
import type { RedriveContext } from "./redrive-context.ts";

type RetryContext = Pick<RedriveContext, "clock" | "random" | "settings" | "lines" | "mapping">;

/** Tries again while it fails, whatever it did. `undefined`: stopped before it was answered. */
export async function untilItWorks<T>(
  { clock, random, settings, lines, mapping }: RetryContext,
  message: string,
  work: () => Promise<T>,
  stop: AbortSignal,
): Promise<T | undefined> {
  for (let failures = 1; ; failures++) {
    if (stop.aborted) return undefined;
    try {
      return await work();
    } catch (error) {
      lines.write("warn", message, { mapping: mapping.name, error: describeError(error) });
    }
    await sleep(clock, backoffMs(failures, settings, random), stop);
  }
}
