/** `platform`: what the host says of a call itself, as Lambda does: `START`, `END` and `REPORT` lines. */
export type LogStream = "stdout" | "stderr" | "platform";

export interface FunctionLogLine {
  readonly fn: string;
  /** `$LATEST`, or a number. */
  readonly version: string;
  /** The call that it was printed in; absent where that is not known, or was none. */
  readonly requestId?: string | undefined;
  readonly stream: LogStream;
  /** One line, without its end. */
  readonly text: string;
}

/** Where all that functions print goes. Nothing of it goes into the engine's own log. Cheap, and never throws. */
export interface FunctionLog {
  line(line: FunctionLogLine): void;
}
