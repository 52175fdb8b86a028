import { backoffMs } from "../lib/back-off.ts";
import { sleep } from "../lib/sleep.ts";
import { describeError } from "../model/errors.ts";
import type { RedriveContext } from "./redrive-context.ts";
import type { RedriveNotes } from "./redrive-reasons.ts";

interface RetryContext extends Pick<RedriveContext, "clock" | "random" | "settings" | "lines" | "mapping"> {
  readonly notes: Pick<RedriveNotes, "fails">;
}

/** Tries again while it fails, whatever it did. `undefined`: stopped before it was answered. */
export async function untilItWorks<T>(
  { clock, random, settings, lines, mapping, notes }: RetryContext,
  message: string,
  work: () => Promise<T>,
  stop: AbortSignal,
): Promise<T | undefined> {
  for (let failures = 1; ; failures++) {
    if (stop.aborted) return undefined;
    try {
      return await work();
    } catch (error) {
      notes.fails(error);
      lines.write("warn", message, { mapping: mapping.name, error: describeError(error) });
    }
    await sleep(clock, backoffMs(failures, settings, random), stop);
  }
}
