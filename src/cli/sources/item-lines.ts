import { TextDecoder } from "node:util";
import { MillraceError } from "../../model/errors.ts";
import type { InputStream } from "../output-stream.ts";

/** Larger than any source takes one. */
const LINE_CHARS_MAX = 16 * 1024 * 1024;
/** What is put in at once. */
const LINES_MAX = 1_000;
const CHARS_MAX = 1024 * 1024;

export interface ItemLine {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/** Words of a command line, as lines. */
export function* wordLines(words: readonly string[]): Generator<readonly ItemLine[]> {
  yield words.map((text, index) => ({ number: index + 1, text }));
}

/**
 * Lines of a stream in groups, each given as soon as it is full or the stream has nothing more for now. Empty lines
 * count, and are left out.
 * @throws MillraceError ERR_MILLRACE_CONFIG for what is no UTF-8, and for a line that no source could take.
 */
export async function* inputLines(input: InputStream): AsyncGenerator<readonly ItemLine[]> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  let number = 0;
  let group: ItemLine[] = [];
  let chars = 0;
  const add = (text: string): void => {
    number += 1;
    if (text.trim() === "") return;
    group.push({ number, text: text.endsWith("\r") ? text.slice(0, -1) : text });
    chars += text.length;
  };
  const taken = (): readonly ItemLine[] => {
    const full = group;
    group = [];
    chars = 0;
    return full;
  };
  for await (const chunk of input) {
    const lines = (rest + decoded(decoder, chunk, number)).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LINE_CHARS_MAX) throw tooLong(number + lines.length + 1);
    for (const line of lines) {
      add(line);
      if (group.length >= LINES_MAX || chars >= CHARS_MAX) yield taken();
    }
    if (group.length > 0) yield taken();
  }
  if (rest !== "") add(rest);
  if (group.length > 0) yield taken();
}

function decoded(decoder: TextDecoder, chunk: Uint8Array | string, number: number): string {
  if (typeof chunk === "string") return chunk;
  try {
    return decoder.decode(chunk, { stream: true });
  } catch (cause) {
    const message = `Standard input is not UTF-8 behind line ${number}. Encode what is not text, for example in Base64.`;
    throw new MillraceError("ERR_MILLRACE_CONFIG", message, { cause });
  }
}

function tooLong(number: number): MillraceError {
  const message = `Line ${number} of standard input has more than ${LINE_CHARS_MAX} characters. Give one record a line.`;
  return new MillraceError("ERR_MILLRACE_CONFIG", message);
}
