import { Cron } from "croner";
import { type CronField, parseDays, parseNumbers } from "./cron-field.ts";
import { DAY_MS, MINUTE_MS, type WallMs, wallText } from "./wall-time.ts";

/** AWS's pattern of six fields, asked about what clocks on the wall show: no zone has a part in it (`zone.ts`). */
export interface CronPattern {
  /** The first time that the pattern means after this one; `undefined`: there is none until 2199. */
  nextAfter(wallMs: WallMs): WallMs | undefined;
}

/**
 * `minutes hours day-of-month month day-of-week year`: one of the two days has to be `?`. `undefined`: AWS would refuse
 * it (invocation §12).
 */
export function parseCron(text: string): CronPattern | undefined {
  const fields = text.trim().split(/\s+/);
  const [minute = "", hour = "", day = "", month = "", weekday = "", year = ""] = fields;
  if (fields.length !== 6 || (day === "?") === (weekday === "?")) return undefined;
  const minutes = parseNumbers(minute, MINUTES);
  const hours = parseNumbers(hour, HOURS);
  const months = parseNumbers(month, MONTHS);
  const years = parseNumbers(year, YEARS);
  const days = parseDays(day, weekday);
  if (!minutes || !hours || !months || !years || days === undefined) return undefined;
  const times = hours.flatMap((h) => minutes.map((m) => (h * 60 + m) * MINUTE_MS));
  const [ofMonth, ofWeek] = days;
  const [monthText, yearText] = [listText(months, MONTHS), listText(years, YEARS)];
  return new DaysAndTimes(`0 0 0 ${ofMonth} ${monthText} ${ofWeek} ${yearText}`, times);
}

const MINUTES: CronField = { min: 0, max: 59 };
const HOURS: CronField = { min: 0, max: 23 };
const MONTHS: CronField = {
  min: 1,
  max: 12,
  names: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
};
const YEARS: CronField = { min: 1970, max: 2199 };

function listText(values: readonly number[], { min, max }: CronField): string {
  return values.length === max - min + 1 && min !== YEARS.min ? "*" : rangesText(values);
}

/** `1,3-7`: what croner reads of any set, steps and wrapped ranges among them. */
function rangesText(values: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const value of values) {
    const range = ranges.at(-1);
    if (range !== undefined && range[1] === value - 1) range[1] = value;
    else ranges.push([value, value]);
  }
  return ranges.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(",");
}

/**
 * Croner knows the calendar, and is asked for days alone: a tenth of a millisecond each, where times of a day are a
 * list. It is given no callback, so it sets no timer and reads no clock.
 */
class DaysAndTimes implements CronPattern {
  readonly #days: Cron;
  /** Milliseconds of the day, ascending. */
  readonly #times: readonly number[];
  /** The last answer of croner: no day in between is meant. `to` Infinity: none is left. */
  #gap: { readonly from: WallMs; readonly to: WallMs } | undefined;

  constructor(days: string, times: readonly number[]) {
    this.#days = new Cron(days, { mode: "7-part", alternativeWeekdays: true, utcOffset: 0 });
    this.#times = times;
  }

  nextAfter(wallMs: WallMs): WallMs | undefined {
    const today = Math.floor(wallMs / DAY_MS) * DAY_MS;
    const time = this.#times.find((each) => today + each > wallMs);
    const day = this.#dayFrom(time === undefined ? today + DAY_MS : today);
    if (day === undefined) return undefined;
    return day + ((day === today ? time : this.#times[0]) ?? 0);
  }

  /** The first day that is meant, this one or a later one. */
  #dayFrom(day: WallMs): WallMs | undefined {
    const known = this.#gap;
    const to = known !== undefined && known.from <= day && day <= known.to ? known.to : this.#ask(day);
    this.#gap = { from: day, to };
    return to === Number.POSITIVE_INFINITY ? undefined : to;
  }

  #ask(day: WallMs): WallMs {
    return this.#days.nextRun(wallText(day - 1000))?.getTime() ?? Number.POSITIVE_INFINITY;
  }
}
