type Body = Readonly<Record<string, unknown>>;

/** Members whose names below them are the caller's own. */
const OWN_NAMES: readonly string[] = ["inputPathsMap"];
/** Kept out of what is checked: tokens of one request. */
const OF_REQUEST: readonly string[] = ["clientToken", "name", "tags"];

/** AWS's members as fields of a manifest: `ScheduleExpression` → `scheduleExpression`, at every depth. */
export function lowerMembers(body: Body): Record<string, unknown> {
  const entries = Object.entries(body).map(
    ([name, value]) => [lower(name), lowered(value, lower(name))] as const,
  );
  return Object.fromEntries(entries.filter(([name, value]) => value !== null && !OF_REQUEST.includes(name)));
}

/** The way back. */
export function upperMembers(fields: Body): Record<string, unknown> {
  const entries = Object.entries(fields).map(([name, value]) => [upper(name), raised(value, name)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function lowered(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return value.map((each: unknown) => lowered(each, name));
  return isPlain(value) && !OWN_NAMES.includes(name) ? lowerMembersBelow(value) : value;
}

function lowerMembersBelow(body: Body): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [lower(name), lowered(value, lower(name))] as const),
  );
}

function raised(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return value.map((each: unknown) => raised(each, name));
  return isPlain(value) && !OWN_NAMES.includes(name) ? upperMembers(value) : value;
}

function lower(name: string): string {
  return name.slice(0, 1).toLowerCase() + name.slice(1);
}

function upper(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}

function isPlain(value: unknown): value is Body {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
