const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

/** `12/Mar/2020:19:03:58 +0000` */
export function requestTime(epochMs: number): string {
  const date = new Date(epochMs);
  const day = twoDigits(date.getUTCDate());
  const month = MONTHS[date.getUTCMonth()];
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(twoDigits).join(":");
  return `${day}/${month}/${date.getUTCFullYear()}:${time} +0000`;
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
