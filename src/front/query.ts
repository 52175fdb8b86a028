/** Names and values of a query in their order; `isDecoded` false: as they came. */
export function queryPairs(rawQuery: string, isDecoded = true): readonly (readonly [string, string])[] {
  if (rawQuery === "") return [];
  return rawQuery
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const end = pair.indexOf("=");
      const [name, value] = end < 0 ? [pair, ""] : [pair.slice(0, end), pair.slice(end + 1)];
      return isDecoded ? ([decodeForm(name), decodeForm(value)] as const) : ([name, value] as const);
    });
}

/** The last value, where a name comes several times. */
export function lastValues(pairs: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries(pairs);
}

/** All values of a name, with commas between them. */
export function joinedValues(pairs: readonly (readonly [string, string])[]): Record<string, string> {
  const joined = new Map<string, string>();
  for (const [name, value] of pairs) {
    const before = joined.get(name);
    joined.set(name, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(joined);
}

/** All values of a name, in a list. */
export function allValues(pairs: readonly (readonly [string, string])[]): Record<string, string[]> {
  const all = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    const before = all.get(name);
    if (before === undefined) all.set(name, [value]);
    else before.push(value);
  }
  return Object.fromEntries(all);
}

export function orNull<Values extends object>(values: Values): Values | null {
  return Object.keys(values).length === 0 ? null : values;
}

function decodeForm(text: string): string {
  return decodedPart(text.replaceAll("+", " "));
}

/** What cannot be decoded stays as it came. */
export function decodedPart(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
