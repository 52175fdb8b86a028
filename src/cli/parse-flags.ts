import { parseArgs } from "node:util";
import { nearestName } from "../manifests/nearest-name.ts";
import { MillraceError } from "../model/errors.ts";
import type { Command, Flags } from "./command.ts";

export function lastValue(flags: Flags, name: string): string | undefined {
  return flags.get(name)?.at(-1);
}

/**
 * A flag's whole number.
 * @throws MillraceError ERR_MILLRACE_CONFIG
 */
export function wholeNumber(flags: Flags, name: string, { min, max }: { min: number; max: number }) {
  const text = lastValue(flags, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d{1,15}$/.test(text) && value >= min && value <= max) return value;
  throw usageError(`--${name} is ${JSON.stringify(text)}. Give a whole number from ${min} to ${max}.`);
}

/**
 * Reads the words behind a command's name. Unknown flags are errors, never ignored.
 * @throws MillraceError ERR_MILLRACE_CONFIG
 */
export function parseFlags(command: Command, words: readonly string[]): Flags {
  const options = Object.entries(command.flags).map(([name, flag]) => {
    const type = flag.value === undefined ? ("boolean" as const) : ("string" as const);
    return [name, flag.short === undefined ? { type } : { type, short: flag.short }] as const;
  });
  const { tokens } = parseArgs({
    args: withImplied(command, words),
    options: Object.fromEntries(options),
    strict: false,
    tokens: true,
  });
  const flags = new Map<string, string[]>();
  const wordNames = Object.keys(command.words ?? {});
  for (const token of tokens) {
    if (token.kind === "positional") {
      const name = wordNames[0];
      if (name === undefined || token.value === "") throw unexpectedWord(command, token.value);
      const takesAll = command.words?.[name]?.isRepeatable === true;
      if (!takesAll) wordNames.shift();
      flags.set(name, [...(takesAll ? (flags.get(name) ?? []) : []), token.value]);
      continue;
    }
    if (token.kind === "option-terminator") continue;
    const value = checkedValue(command, token);
    const values = flags.get(token.name) ?? [];
    if (values.length > 0 && command.flags[token.name]?.isRepeatable !== true) {
      throw usageError(`${token.rawName} is given twice. Give it once.`, command);
    }
    flags.set(token.name, [...values, value]);
  }
  for (const [name, word] of Object.entries(command.words ?? {})) {
    if (word.isRequired !== true || flags.has(name)) continue;
    throw usageError(`${name} is missing. Give ${command.usage}.`, command);
  }
  for (const [name, flag] of Object.entries(command.flags)) {
    if (flag.isRequired !== true || flags.has(name)) continue;
    throw usageError(`--${name} is missing. Give --${name} ${flag.value}.`, command);
  }
  return flags;
}

/** A flag that may stand alone gets its value before it takes the word behind it for one. */
function withImplied({ flags }: Command, words: readonly string[]): string[] {
  const end = words.indexOf("--");
  return words.map((word, index) => {
    const implied = word.startsWith("--") ? flags[word.slice(2)]?.implied : undefined;
    if (implied === undefined || (end >= 0 && index > end)) return word;
    const next = words[index + 1];
    return next === undefined || next.startsWith("-") ? `${word}=${implied}` : word;
  });
}

export function usageError(message: string, command?: Command): MillraceError {
  const hint = command === undefined ? "" : ` See millrace ${command.name} --help.`;
  return new MillraceError("ERR_MILLRACE_CONFIG", message + hint);
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function checkedValue(command: Command, { name, rawName, value, inlineValue }: OptionToken): string {
  const flag = Object.hasOwn(command.flags, name) ? command.flags[name] : undefined;
  if (flag === undefined) {
    const nearest = nearestName(name, Object.keys(command.flags));
    const suggestion = nearest === undefined ? "" : ` Did you mean --${nearest}?`;
    throw usageError(`There is no flag ${rawName}.${suggestion}`, command);
  }
  if (flag.value === undefined) {
    if (value === undefined) return "true";
    throw usageError(`${rawName} takes no value. Write ${rawName} alone.`, command);
  }
  const isNextFlag = inlineValue === false && value !== undefined && /^-[^\d]/.test(value);
  if (value === undefined || value === "" || isNextFlag) {
    throw usageError(`${rawName} has no value. Give ${rawName} ${flag.value}.`, command);
  }
  return value;
}

function unexpectedWord(command: Command, word: string): MillraceError {
  const flag = Object.entries(command.flags).find(([, { isRepeatable }]) => isRepeatable === true);
  const suggestion =
    flag === undefined
      ? "Remove it."
      : `To give another file write -${flag[1].short ?? `-${flag[0]}`} before it.`;
  return usageError(`The word ${JSON.stringify(word)} is not expected here. ${suggestion}`, command);
}
