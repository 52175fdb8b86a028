/**
 * Whether JSON of somebody else's is valid, without making it into anything: a few megabytes of brackets would take
 * half a gigabyte and seconds as values. It goes over the bytes once.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const SMALL_A = 0x61;
const SMALL_E = 0x65;
const SMALL_F = 0x66;
const SMALL_U = 0x75;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const SPACE = 0x20;
/** Makes a small letter of a large one. */
const SMALL = 0x20;
const ESCAPED: readonly number[] = [...Buffer.from('"\\/bfnrtu')];
const WORDS = ["true", "false", "null"].map((word) => Buffer.from(word));

/** What may come next. */
const VALUE = 0;
const VALUE_OR_END = 1;
const KEY_OR_END = 2;
const KEY = 3;
const BEHIND_VALUE = 4;

/** Whether `JSON.parse` would take the bytes as UTF-8, replacement characters in the place of what is none. */
export function isJson(bytes: Uint8Array): boolean {
  // Closing brackets that are still to come. Local, as all that each byte needs: this loop is what such a text costs.
  let closing = new Uint8Array(64);
  let depth = 0;
  let next = VALUE;
  for (let at = 0; at >= 0; ) {
    const code = bytes[at];
    if (code === undefined) return next === BEHIND_VALUE && depth === 0;
    if (isSpace(code)) at++;
    else if (next === BEHIND_VALUE) {
      const last = depth === 0 ? 0 : closing[depth - 1];
      if (code === COMMA && depth > 0) next = last === CLOSE_OBJECT ? KEY : VALUE;
      else if (code === last) depth--;
      else return false;
      at++;
    } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) {
      if (next !== (code === CLOSE_LIST ? VALUE_OR_END : KEY_OR_END)) return false;
      depth--;
      next = BEHIND_VALUE;
      at++;
    } else if (next >= KEY_OR_END) {
      at = keyEnd(bytes, at);
      next = VALUE;
    } else if (code === OPEN_LIST || code === OPEN_OBJECT) {
      if (depth === closing.length) closing = doubled(closing);
      // The codes of opening and closing brackets are two apart.
      closing[depth++] = code + 2;
      next = code === OPEN_LIST ? VALUE_OR_END : KEY_OR_END;
      at++;
    } else {
      at = scalarEnd(bytes, at, code);
      next = BEHIND_VALUE;
    }
  }
  return false;
}

function doubled(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(bytes.length * 2);
  larger.set(bytes);
  return larger;
}

/** Behind the colon of the key that begins at `at`; −1, here and below: there is none. */
function keyEnd(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== QUOTE) return -1;
  let colon = checkedStringEnd(bytes, at);
  if (colon < 0) return -1;
  while (isSpace(bytes[colon])) colon++;
  return bytes[colon] === COLON ? colon + 1 : -1;
}

function scalarEnd(bytes: Uint8Array, at: number, code: number): number {
  if (code === QUOTE) return checkedStringEnd(bytes, at);
  if (code === MINUS || isDigit(code)) return numberEnd(bytes, at);
  const word = WORDS.find((known) => known.every((letter, index) => bytes[at + index] === letter));
  return word === undefined ? -1 : at + word.length;
}

function checkedStringEnd(bytes: Uint8Array, from: number): number {
  for (let at = from + 1; at < bytes.length; at++) {
    const code = bytes[at] ?? 0;
    if (code === QUOTE) return at + 1;
    if (code < SPACE) return -1;
    if (code !== BACKSLASH) continue;
    const escaped = bytes[++at];
    if (escaped === undefined || !ESCAPED.includes(escaped)) return -1;
    if (escaped === SMALL_U) {
      for (let digit = 0; digit < 4; digit++) if (!isHexDigit(bytes[++at])) return -1;
    }
  }
  return -1;
}

function numberEnd(bytes: Uint8Array, from: number): number {
  let at = bytes[from] === MINUS ? from + 1 : from;
  const whole = at;
  at = digitsEnd(bytes, at);
  if (at === whole || (bytes[whole] === ZERO && at > whole + 1)) return -1;
  if (bytes[at] === DOT) {
    const fraction = at + 1;
    at = digitsEnd(bytes, fraction);
    if (at === fraction) return -1;
  }
  if (((bytes[at] ?? 0) | SMALL) !== SMALL_E) return at;
  at++;
  const sign = bytes[at];
  const exponent = sign === MINUS || sign === PLUS ? at + 1 : at;
  at = digitsEnd(bytes, exponent);
  return at === exponent ? -1 : at;
}

function digitsEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  while (isDigit(bytes[at])) at++;
  return at;
}

function isDigit(code: number | undefined): boolean {
  return code !== undefined && code >= ZERO && code <= NINE;
}

function isHexDigit(code = 0): boolean {
  const small = code | SMALL;
  return isDigit(code) || (small >= SMALL_A && small <= SMALL_F);
}

function isSpace(code: number | undefined): boolean {
  return code === SPACE || code === 0x0a || code === 0x0d || code === 0x09;
}
