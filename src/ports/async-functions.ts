import type { InvokeConfig } from "../model/invoke-config.ts";

/** The functions of this process as they are declared now, for who runs their asynchronous events. */
export interface AsyncFunctions {
  names(): readonly string[];
  /** Calls that could start now; advice. */
  room(name: string): number;
  /** What this version may take; absent: the longest of all. 0: nobody declares it. */
  timeoutMs(name: string, version?: string): number;
  /** `undefined`: nobody declares it, or it has no such version or alias. Asked anew before each attempt. */
  find(name: string, qualifier: string): AsyncFunction | undefined;
  /** `qualifier` may be empty: then it is the function's own. */
  arnOf(name: string, qualifier: string): string;
}

export interface AsyncFunction {
  /** It reserves no concurrency at all: nothing may start. */
  readonly isZero: boolean;
  readonly config: InvokeConfig;
  /** The dead-letter target of the version that ran, or of the one that would have. */
  deadLetterOf(executedVersion: string | undefined): string | undefined;
}
