/** AWS's bound of `X-Amz-Client-Context` (invocation §8). */
export const CLIENT_CONTEXT_CHARS_MAX = 3583;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

/**
 * What a caller of Invoke hands to the function beside the event: the JSON object that its base64 holds, as a value;
 * `undefined`: it is none.
 */
export function readClientContext(base64: string): object | undefined {
  if (base64.length > CLIENT_CONTEXT_CHARS_MAX || !BASE64.test(base64)) return undefined;
  try {
    const value: unknown = JSON.parse(
      new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(base64, "base64")),
    );
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** As a header can carry it: JSON on one line, of ASCII alone. */
export function clientContextHeader(base64: string): string | undefined {
  const value = readClientContext(base64);
  if (value === undefined) return undefined;
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
