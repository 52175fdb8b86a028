/**
 * What a clock on the wall shows, in milliseconds: as if it hung in UTC, counted from 1970. Which instant that is, and
 * whether there is one, the zone says (`zone.ts`).
 */
export type WallMs = number;

export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

export interface CalendarTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** Days are counted in years that begin in March, so that the leap day is the last: no table of months is needed. */
export function wallOf({ year, month, day, hour, minute, second }: CalendarTime): WallMs {
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  const days = era * 146_097 + dayOfEra - 719_468;
  return days * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000;
}

export function calendarOf(wallMs: WallMs): CalendarTime {
  const days = Math.floor(wallMs / DAY_MS) + 719_468;
  const era = Math.floor(days / 146_097);
  const dayOfEra = days - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const seconds = Math.floor((wallMs - Math.floor(wallMs / DAY_MS) * DAY_MS) / 1000);
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1,
    hour: Math.floor(seconds / 3600),
    minute: Math.floor(seconds / 60) % 60,
    second: seconds % 60,
  };
}

/** `2026-03-29T02:30:00`: no zone is said. */
export function wallText(wallMs: WallMs): string {
  const { year, month, day, hour, minute, second } = calendarOf(wallMs);
  const [mm, dd, hh, mi, ss] = [month, day, hour, minute, second].map((part) =>
    String(part).padStart(2, "0"),
  );
  return `${String(year).padStart(4, "0")}-${mm}-${dd}T${hh}:${mi}:${ss}`;
}

const WALL_TEXT = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})$/;

/** `undefined`: it is no such text, or no day of the calendar. */
export function parseWallText(text: string): WallMs | undefined {
  const match = WALL_TEXT.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const wallMs = wallOf({ year, month, day, hour, minute, second });
  return wallText(wallMs) === text ? wallMs : undefined;
}
