import type { Adapters } from "./adapters.ts";
import type { InputStream, OutputStream } from "./output-stream.ts";
import type { GroupLink } from "./processes/group-messages.ts";
import type { StopSignal } from "./stop-signal.ts";

/**
 * The flags of a command line; values in the order given. Flags without a value have the value `true`. Words that are
 * no flags stand under their names in capitals, which no flag has.
 */
export type Flags = ReadonlyMap<string, readonly string[]>;

/** What a command ends with: 0 done, 1 it failed while it ran, 2 what it was given is not valid, 3 see the command. */
export type ExitStatus = number;
export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_BAD_INPUT = 2;
/** What was asked for was told, and it is not well. */
export const EXIT_NOT_FINE = 3;

export interface Command {
  /** With that of its group: `mappings list`. */
  readonly name: string;
  /** One line of `millrace help`. */
  readonly summary: string;
  /** What stands behind `millrace` on the usage line. */
  readonly usage: string;
  /** Text of its --help between the usage line and the flags. */
  readonly details: string;
  /** Words that are no flags, in their order: names in capitals, under which `Flags` has them too. */
  readonly words?: Readonly<Record<string, Word>>;
  readonly flags: Readonly<Record<string, Flag>>;
  /** @throws MillraceError: its message is shown, and ERR_MILLRACE_CONFIG means bad input. */
  run(flags: Flags, host: CliHost): Promise<ExitStatus>;
}

/** Commands under one first word: `millrace mappings list`. */
export interface CommandGroup {
  readonly name: string;
  /** One line of `millrace help`. */
  readonly summary: string;
  readonly commands: readonly Command[];
}

export interface Word {
  readonly isRequired?: boolean;
  /** The last word only: it takes all that follow. */
  readonly isRepeatable?: boolean;
  readonly description: string;
}

export interface Flag {
  readonly short?: string;
  /** Name of the value in the help text; a flag without one takes no value. */
  readonly value?: string;
  /** What the flag means where no value follows it. */
  readonly implied?: string;
  readonly isRepeatable?: boolean;
  readonly isRequired?: boolean;
  readonly description: string;
}

/** What a command may touch outside of itself. */
export interface CliHost {
  readonly version: string;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly stdin: InputStream;
  readonly adapters: Adapters;
  /** The whole command line, without the program's own name. */
  readonly words: readonly string[];
  /** Set: this process is one of several that were started together. */
  readonly parent?: GroupLink | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Calls back at every signal that asks to stop, also at those that came before anybody listened. */
  onStopSignal(listener: (signal: StopSignal) => void): void;
  /** Ends the process at once, with everything that runs. */
  exitNow(status: ExitStatus): void;
  /** Called with what nobody caught: such a process cannot be trusted to go on. */
  onFatal(listener: (error: unknown) => void): void;
}
