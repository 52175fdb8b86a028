/** The values that a field of numbers may have, and names for the first of them. */
export interface CronField {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

/**
 * The values that a field means, ascending. Ranges may wrap: `20-2` are the hours around midnight; `1/10` goes from 1
 * to the end in steps of ten. `undefined`: AWS would refuse it.
 */
export function parseNumbers(text: string, field: CronField): readonly number[] | undefined {
  const values = new Set<number>();
  for (const item of text.split(",")) {
    const found = parseItem(item, field);
    if (found === undefined) return undefined;
    for (const value of found) values.add(value);
  }
  return [...values].toSorted((a, b) => a - b);
}

const DAYS_OF_MONTH: CronField = { min: 1, max: 31 };
const DAYS_OF_WEEK: CronField = { min: 1, max: 7, names: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] };

/** The two day fields as croner reads them; exactly one of them is `?`. `undefined`: AWS would refuse it. */
export function parseDays(
  ofMonth: string,
  ofWeek: string,
): readonly [ofMonth: string, ofWeek: string] | undefined {
  if (ofMonth === "?") {
    const days = parseWeekday(ofWeek);
    return days === undefined ? undefined : ["*", days];
  }
  const days = parseDayOfMonth(ofMonth);
  return days === undefined ? undefined : [days, "*"];
}

/** `L` is the last day, `LW` the last weekday, `3W` the weekday nearest to the third, within its month. */
function parseDayOfMonth(text: string): string | undefined {
  if (text === "L" || text === "LW") return text;
  const nearest = /^(\d{1,2})W$/.exec(text)?.[1];
  if (nearest !== undefined)
    return isWithin(Number(nearest), DAYS_OF_MONTH) ? `${Number(nearest)}W` : undefined;
  return parseNumbers(text, DAYS_OF_MONTH)?.join(",");
}

/** `6L` is the last Friday of a month, `3#2` its second Tuesday, `L` alone a Saturday: the last day of a week. */
function parseWeekday(text: string): string | undefined {
  if (text === "L") return String(DAYS_OF_WEEK.max);
  const [, day = "", sign = "", nth = ""] = /^([0-9A-Z]+?)(L|#)([0-9]*)$/.exec(text.toUpperCase()) ?? [];
  if (sign === "") return parseNumbers(text, DAYS_OF_WEEK)?.join(",");
  const number = numberOf(day, DAYS_OF_WEEK);
  if (number === undefined) return undefined;
  if (sign === "L") return nth === "" ? `${number}L` : undefined;
  return /^[1-5]$/.test(nth) ? `${number}#${nth}` : undefined;
}

function parseItem(item: string, field: CronField): readonly number[] | undefined {
  const [, range = "", step] = /^([^/]+)(?:\/(\d{1,4}))?$/.exec(item) ?? [];
  if (range === "" || (step !== undefined && Number(step) < 1)) return undefined;
  const ends = endsOf(range, step !== undefined, field);
  return ends === undefined ? undefined : valuesOf(ends, Number(step ?? 1), field);
}

function endsOf(
  range: string,
  hasStep: boolean,
  field: CronField,
): readonly [first: number, last: number] | undefined {
  if (range === "*") return [field.min, field.max];
  const [first, last, ...more] = range.split("-").map((end) => numberOf(end, field));
  if (first === undefined || more.length > 0) return undefined;
  if (!range.includes("-")) return [first, hasStep ? field.max : first];
  return last === undefined ? undefined : [first, last];
}

/** From the first to the last in steps; where the last is before the first it goes on at the beginning. */
function valuesOf(
  [first, last]: readonly [number, number],
  step: number,
  { min, max }: CronField,
): readonly number[] {
  const length = max - min + 1;
  const span = last >= first ? last - first : last - first + length;
  const count = Math.floor(span / step) + 1;
  return Array.from({ length: count }, (_, index) => ((first - min + index * step) % length) + min);
}

function numberOf(text: string, field: CronField): number | undefined {
  const named = field.names?.indexOf(text.toUpperCase()) ?? -1;
  if (named >= 0) return field.min + named;
  if (!/^\d{1,4}$/.test(text)) return undefined;
  return isWithin(Number(text), field) ? Number(text) : undefined;
}

function isWithin(value: number, { min, max }: CronField): boolean {
  return value >= min && value <= max;
}
