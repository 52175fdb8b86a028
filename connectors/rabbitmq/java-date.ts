const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** The last moment that JavaScript's dates know. */
const SECONDS_MAX = 8_640_000_000_000;

/**
 * Java's medium date and time of en-US, in UTC, as AWS's events have it: `Jan 1, 1970, 12:33:41 AM` (brokers §2.1).
 * `undefined`: no date can be made of it.
 */
export function javaDate(seconds: unknown): string | undefined {
  if (typeof seconds !== "number" || !Number.isInteger(seconds) || Math.abs(seconds) > SECONDS_MAX)
    return undefined;
  const date = new Date(seconds * 1000);
  const hours = date.getUTCHours();
  const time = `${hours % 12 || 12}:${twoDigits(date.getUTCMinutes())}:${twoDigits(date.getUTCSeconds())}`;
  const day = `${MONTHS[date.getUTCMonth()]} ${date.getUTCDate()}, ${date.getUTCFullYear()}`;
  return `${day}, ${time} ${hours < 12 ? "AM" : "PM"}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
