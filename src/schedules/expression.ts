import { type CronPattern, parseCron } from "./cron-pattern.ts";
import { parseWallText, type WallMs } from "./wall-time.ts";

/** What a text such as `rate(5 minutes)` means (invocation §12). */
export type ScheduleExpression =
  | { readonly kind: "rate"; readonly periodMs: number }
  | { readonly kind: "cron"; readonly pattern: CronPattern }
  | { readonly kind: "at"; readonly wallMs: WallMs };

/** Rules are strict where the newer scheduler takes `rate(2 minute)` as well. */
export type ScheduleService = "rule" | "scheduler";

/** `undefined`: AWS would refuse it. */
export function parseExpression(
  text: string,
  service: ScheduleService = "rule",
): ScheduleExpression | undefined {
  const [, kind, inside = ""] = /^(rate|cron|at)\((.*)\)$/.exec(text) ?? [];
  switch (kind) {
    case "rate": {
      const periodMs = parseRate(inside, service);
      return periodMs === undefined ? undefined : { kind: "rate", periodMs };
    }
    case "cron": {
      const pattern = parseCron(inside);
      return pattern === undefined ? undefined : { kind: "cron", pattern };
    }
    case "at": {
      const wallMs = parseWallText(inside);
      return wallMs === undefined ? undefined : { kind: "at", wallMs };
    }
    default:
      return undefined;
  }
}

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
/** A hundred years: beyond it sums of milliseconds would lose their exactness first in the calendar. */
const PERIOD_MS_MAX = 36_500 * 86_400_000;

/** In rules the unit is singular where the value is 1, and only there. */
function parseRate(inside: string, service: ScheduleService): number | undefined {
  const [, value = "", unit = "", plural = ""] = /^([1-9]\d{0,9}) (minute|hour|day)(s?)$/.exec(inside) ?? [];
  const unitMs = UNIT_MS[unit];
  if (unitMs === undefined) return undefined;
  if (service === "rule" && (value === "1") !== (plural === "")) return undefined;
  const periodMs = Number(value) * unitMs;
  return periodMs > PERIOD_MS_MAX ? undefined : periodMs;
}
