/** One value of a metric that a function has printed, and what it is of. */
export interface EmbeddedSample {
  readonly namespace: string;
  readonly metric: string;
  readonly unit: string;
  /** `key=value`, sorted by key, with commas between. */
  readonly dimensions: string;
  readonly values: readonly number[];
}

/** AWS's limits of the format, and of ours what one line may make. */
const NAME_CHARS_MAX = 1_024;
const DIMENSIONS_MAX = 30;
const METRICS_MAX = 100;
const VALUES_MAX = 100;
const LINE_CHARS_MAX = 256 * 1024;
const DIMENSION_CHARS_MAX = 250;
const SAMPLES_MAX = 500;
const UNITS: ReadonlySet<string> = new Set([
  ...["Seconds", "Microseconds", "Milliseconds", "Percent", "Count", "None"],
  ...["", "Kilo", "Mega", "Giga", "Tera"].flatMap((size) =>
    ["Bytes", "Bits"].flatMap((each) => {
      const unit = size === "" ? each : `${size}${each.toLowerCase()}`;
      return [unit, `${unit}/Second`];
    }),
  ),
  "Count/Second",
]);

/** Cheap: most lines that functions print are none. */
export function mayBeEmbedded(line: string): boolean {
  return line.startsWith("{") && line.includes('"_aws"');
}

/**
 * The samples of a line in AWS's embedded metric format; `undefined`: it is none, or not valid. Then all of it counts
 * for nothing, as with AWS.
 */
export function readEmbedded(line: string): readonly EmbeddedSample[] | undefined {
  if (line.length > LINE_CHARS_MAX) return undefined;
  try {
    const root: unknown = JSON.parse(line);
    if (!isObject(root) || !isObject(root["_aws"])) return undefined;
    const directives = root["_aws"]["CloudWatchMetrics"];
    if (!Array.isArray(directives)) return undefined;
    const samples = directives.flatMap((directive: unknown) => samplesOf(directive, root));
    return samples.length > SAMPLES_MAX ? undefined : samples;
  } catch {
    return undefined;
  }
}

class Invalid extends Error {}

/** @throws Invalid */
function samplesOf(directive: unknown, root: JsonObject): readonly EmbeddedSample[] {
  if (!isObject(directive)) throw new Invalid();
  const namespace = nameOf(directive["Namespace"]);
  const sets = directive["Dimensions"] ?? [[]];
  const metrics = directive["Metrics"];
  if (!Array.isArray(sets) || sets.length > DIMENSIONS_MAX) throw new Invalid();
  if (!Array.isArray(metrics) || metrics.length > METRICS_MAX) throw new Invalid();
  const dimensions = (sets.length === 0 ? [[]] : sets).map((set: unknown) => dimensionsOf(set, root));
  return metrics.flatMap((metric: unknown) => {
    if (!isObject(metric)) throw new Invalid();
    const name = nameOf(metric["Name"]);
    const unit = metric["Unit"] ?? "None";
    if (typeof unit !== "string" || !UNITS.has(unit)) throw new Invalid();
    // How finely CloudWatch keeps it: here whoever scrapes says so.
    if (![undefined, 1, 60].includes(metric["StorageResolution"] as number | undefined)) throw new Invalid();
    const values = valuesOf(member(root, name));
    return dimensions.map((each) => ({ namespace, metric: name, unit, dimensions: each, values }));
  });
}

function dimensionsOf(set: unknown, root: JsonObject): string {
  if (!Array.isArray(set) || set.length > DIMENSIONS_MAX) throw new Invalid();
  const pairs = set.map((key: unknown) => {
    if (typeof key !== "string" || key === "" || key.length > DIMENSION_CHARS_MAX) throw new Invalid();
    const value = member(root, key);
    if (typeof value !== "string" || value.length > NAME_CHARS_MAX) throw new Invalid();
    return `${key}=${value.slice(0, DIMENSION_CHARS_MAX)}`;
  });
  return pairs.toSorted().join(",");
}

function valuesOf(value: unknown): readonly number[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (values.length === 0 || values.length > VALUES_MAX) throw new Invalid();
  return values.map((each) => {
    if (typeof each !== "number" || !Number.isFinite(each)) throw new Invalid();
    return each;
  });
}

function nameOf(value: unknown): string {
  if (typeof value !== "string" || value.trim() === "" || value.length > NAME_CHARS_MAX) throw new Invalid();
  return value;
}

/** The names are the function's: `__proto__` is one like any other. */
function member(root: JsonObject, name: string): unknown {
  return Object.hasOwn(root, name) ? root[name] : undefined;
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
