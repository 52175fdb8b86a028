/**
 * What makes failures one error: the function, the type, the message without what differs from record to record, and
 * the frames nearest to the fault in code that is the function's own. The same in every process.
 */
export interface FingerprintedFailure {
  readonly function: string;
  readonly errorType: string;
  readonly message: string;
  readonly stack: string | undefined;
}

const FRAMES = 3;

/** 16 hexadecimal digits. */
export function fingerprintOf(failure: FingerprintedFailure): string {
  const { function: fn, errorType, message, stack = "" } = failure;
  return digestOf([fn, errorType, withoutVariables(message), ...ownFrames(stack)].join("\n"));
}

/** Numbers, ids and what is quoted are of one record; the rest is of the error. */
function withoutVariables(message: string): string {
  return message
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, "#")
    .replace(/"[^"\n]*"|`[^`\n]*`|(?<![A-Za-z])'[^'\n]*'/g, '"#"')
    .replace(/\b(?:0x[0-9a-f]+|(?=[a-f]*[0-9])[0-9a-f]{8,})\b/gi, "#")
    .replace(/[0-9]+/g, "#");
}

/** Where dependencies and runtimes are, whose frames say nothing of a fault. */
const FOREIGN = /[\\/](?:node_modules|site-packages|dist-packages)[\\/]|\bnode:|<anonymous>/;
const NODE_FRAME = /^\s*at\s/;
const PYTHON_FRAME = /^\s*File "/;

function ownFrames(stack: string): readonly string[] {
  const lines = stack.split("\n");
  const isPython = lines.some((line) => PYTHON_FRAME.test(line));
  const frames = lines.filter((line) => (isPython ? PYTHON_FRAME : NODE_FRAME).test(line));
  const own = frames.filter((line) => !FOREIGN.test(line));
  // Python tells the call that failed last.
  return (isPython ? own.slice(-FRAMES) : own.slice(0, FRAMES)).map(withoutPlace);
}

/** Hosts have the same code in different folders, and it is loaded anew under other queries. */
function withoutPlace(frame: string): string {
  return frame
    .replace(/(?:file:\/\/)?[^\s("']*[\\/]/g, "")
    .replace(/\?[^:\s)]*/g, "")
    .trim();
}

/** Two FNV-1a hashes with different beginnings: no secret depends on it, and it is the same everywhere. */
function digestOf(text: string): string {
  let first = 0x811c9dc5;
  let second = 0x9e3779b1;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    first = Math.imul(first ^ unit, 0x01000193);
    second = Math.imul(second ^ unit ^ (first >>> 15), 0x85ebca6b);
  }
  return hex(mixed(first)) + hex(mixed(second));
}

/** FNV's first digits hardly differ when only the last characters do. */
function mixed(hash: number): number {
  const once = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return (twice ^ (twice >>> 16)) >>> 0;
}

function hex(hash: number): string {
  return hash.toString(16).padStart(8, "0");
}
