import type { Flags } from "./command.ts";
import { type CliHost, type Command, type CommandGroup, EXIT_OK } from "./command.ts";

const FOOTER = `Exit statuses: 0 done, 1 failed while running, 2 bad input.
Each command has --help.
`;

export function helpCommand(commands: () => Promise<readonly (Command | CommandGroup)[]>): Command {
  return {
    name: "help",
    summary: "Lists the commands.",
    usage: "help",
    details: "Lists the commands.",
    flags: {},
    run: async (_flags: Flags, host: CliHost) => {
      host.stdout.write(overview(await commands()));
      return EXIT_OK;
    },
  };
}

export function overview(commands: readonly (Command | CommandGroup)[]): string {
  const rows = commands.map(({ name, summary }) => [name, summary] as const);
  return `millrace: event source mappings for any function platform

Usage: millrace COMMAND [FLAGS]

${table(rows)}
${FOOTER}`;
}

export function groupHelp({ name, summary, commands }: CommandGroup): string {
  const rows = commands.map((command) => [command.name.slice(name.length + 1), command.summary] as const);
  return `Usage: millrace ${name} COMMAND [FLAGS]

${summary}

${table(rows)}
${FOOTER}`;
}

export function commandHelp({ usage, details, words = {}, flags }: Command): string {
  const all = { ...flags, help: { short: "h", description: "Shows this text." } };
  const rows = Object.entries(all).map(([name, flag]) => {
    const short = flag.short === undefined ? "    " : `-${flag.short}, `;
    const given = "value" in flag ? flag.value : undefined;
    const value = given === undefined ? "" : "implied" in flag ? ` [${given}]` : ` ${given}`;
    return [`${short}--${name}${value}`, flag.description] as const;
  });
  return `Usage: millrace ${usage}

${details}

${table([...Object.entries(words).map(([name, { description }]) => [name, description] as const), ...rows])}`;
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => `  ${left.padEnd(width)}${right}\n`).join("");
}
