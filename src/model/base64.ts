const FOREIGN = /[^A-Za-z0-9+/]/;

/** The bytes that a text in Base64 stands for, with its padding; `undefined`: it is none. */
export function bytesOfBase64(text: string): Buffer | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  // A pattern over the whole would go back over megabytes.
  if (FOREIGN.test(text.slice(0, text.length - padding))) return undefined;
  return Buffer.from(text, "base64");
}
