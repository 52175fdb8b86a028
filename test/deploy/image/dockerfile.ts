/**
 * What a Dockerfile says, as far as ours uses the language. Anything else is refused: it would be left out of the
 * proof.
 */

export interface Instruction {
  readonly name: string;
  /** `--from=build` as `from: "build"`. */
  readonly flags: ReadonlyMap<string, string>;
  /** What follows the flags. */
  readonly text: string;
}

export interface Stage {
  readonly name: string | undefined;
  /** The base image, or an earlier stage. */
  readonly from: string;
  readonly instructions: readonly Instruction[];
}

const KNOWN = new Set([
  "CMD",
  "COPY",
  "ENTRYPOINT",
  "ENV",
  "EXPOSE",
  "HEALTHCHECK",
  "LABEL",
  "RUN",
  "STOPSIGNAL",
  "USER",
  "VOLUME",
  "WORKDIR",
]);

export function parseDockerfile(text: string): readonly Stage[] {
  const buildArguments = new Map<string, string>();
  const stages: { name: string | undefined; from: string; instructions: Instruction[] }[] = [];
  for (const line of logicalLines(text)) {
    const instruction = parseInstruction(line);
    const stage = stages.at(-1);
    if (instruction.name === "FROM") {
      const [from = "", as, name] = substitute(instruction.text, buildArguments).split(/\s+/);
      if (as !== undefined && as.toUpperCase() !== "AS") throw new Error(`cannot read ${line}`);
      stages.push({ name, from, instructions: [] });
    } else if (stage === undefined) {
      const [, name, value] = /^(\w+)=(\S+)$/.exec(instruction.text) ?? [];
      if (instruction.name !== "ARG" || name === undefined || value === undefined) {
        throw new Error(`before the first FROM there may only be ARG NAME=VALUE, not ${line}`);
      }
      buildArguments.set(name, value);
    } else if (KNOWN.has(instruction.name)) {
      stage.instructions.push(instruction);
    } else {
      throw new Error(`the proof does not know ${instruction.name}: ${line}`);
    }
  }
  return stages;
}

/** Of `["a", "b"]`; a shell form would put a shell between the runtime's signals and the program. */
export function parseExecForm(text: string): readonly string[] {
  const words: unknown = JSON.parse(text);
  if (!Array.isArray(words) || words.some((word) => typeof word !== "string")) {
    throw new Error(`not a list of words: ${text}`);
  }
  return words.map(String);
}

/** `NAME=VALUE` pairs, values plain or quoted. */
export function parsePairs(text: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  const rest = text.replaceAll(/([\w.]+)=(?:"([^"]*)"|(\S+))\s*/g, (_pair, name, quoted, plain) => {
    pairs.set(name, quoted ?? plain);
    return "";
  });
  if (rest !== "") throw new Error(`not NAME=VALUE: ${rest}`);
  return pairs;
}

function logicalLines(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => !/^\s*#/.test(line) && line.trim() !== "")
    .join("\n")
    .replaceAll(/\\\n\s*/g, " ")
    .split("\n");
}

function parseInstruction(line: string): Instruction {
  const [, name = "", rest = ""] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
  const flags = new Map<string, string>();
  let text = rest;
  for (let flag = flagOf(text); flag !== undefined; flag = flagOf(text)) {
    flags.set(flag.name, flag.value);
    text = flag.rest;
  }
  return { name: name.toUpperCase(), flags, text };
}

function flagOf(text: string): { name: string; value: string; rest: string } | undefined {
  const [, name, value, rest] = /^--([\w-]+)=(\S+)\s+(.*)$/.exec(text) ?? [];
  return name === undefined || value === undefined || rest === undefined ? undefined : { name, value, rest };
}

function substitute(text: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\{(\w+)\}/g, (_all, name) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`nothing is known of \${${name}}`);
    return value;
  });
}
