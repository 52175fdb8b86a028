export const EVENT_BYTES = 256 * 1024;

/** The element as often as fits into an event under the keys of `path`. */
export function eventOf(path: readonly string[], element: string | ((index: number) => string)): string {
  const head = path.map((key) => `{${JSON.stringify(key)}:`).join("");
  const parts: string[] = [];
  let bytes = head.length + 2 + path.length;
  for (let i = 0; ; i++) {
    const part = typeof element === "string" ? element : element(i);
    bytes += part.length + 1;
    if (bytes > EVENT_BYTES) break;
    parts.push(part);
  }
  return `${head}[${parts.join(",")}]${"}".repeat(path.length)}`;
}

export function textEvent(text: string): string {
  return JSON.stringify({ a: text });
}

export function filled(unit: string, bytes = EVENT_BYTES - 16): string {
  return unit.repeat(Math.floor(bytes / unit.length));
}

export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** As many members as a pattern has room for. */
export function manyOf(
  member: (index: number) => unknown,
  wrap: (members: readonly unknown[]) => object,
): string {
  const members: unknown[] = [];
  for (let i = 0; ; i++) {
    members.push(member(i));
    const text = JSON.stringify(wrap(members));
    if (text.length > 4096) return JSON.stringify(wrap(members.slice(0, -1)));
  }
}

export const code = (i: number): string => i.toString(36).padStart(2, "0");
