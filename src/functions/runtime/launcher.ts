/**
 * What starts the processes of one version's environments. Small, so that pool and environments run in a model test
 * under virtual time.
 */
export interface Launcher {
  /** An empty folder, the environment's own. @throws when there can be none. */
  makeFolder(): string;
  /** Resolves when nothing of it is left, as far as that can be; never rejects. */
  removeFolder(folder: string): Promise<void>;
  /** Names of what is started beside each process (invocation §5); absent: nothing. */
  readonly extensions?: readonly string[];
  /** Never throws: what cannot be started has ended. `listener` is not called before this returns. */
  launch(order: LaunchOrder, listener: ProcessListener): LaunchedProcess;
}

export interface LaunchOrder {
  /** `HOST:PORT` of the environment's Runtime API. */
  readonly apiAddress: string;
  readonly folder: string;
  /** It is started before anybody calls, to be kept. */
  readonly isProvisioned: boolean;
}

export interface LaunchedProcess {
  /** Asks kindly, all of them. */
  terminate(): void;
  /** Ends all of them, whatever they do. Idempotent. */
  kill(): void;
  /** It has an event, or starts; or it rests: then nobody looks at what it uses. */
  works(isWorking: boolean): void;
  /**
   * The most memory that it was seen with since it was last asked, in MB; `undefined`: nobody can tell. `isExact`: it
   * is looked at now as well, otherwise once a second at most.
   */
  takeMemoryMb(isExact: boolean): number | undefined;
  /** Calls `then` when what they have printed until now is read. */
  drained(then: () => void): void;
}

export interface ProcessListener {
  /** `isOfExtension`: something printed it that was started beside the process. */
  onOutput(text: string, stream: "stdout" | "stderr", isOfExtension?: boolean): void;
  /** The process that was started has ended, and what it printed is read. Called once. */
  onExit(ending: ProcessEnding): void;
  /** One that was started beside it has ended. */
  onExtensionExit(name: string): void;
  /** After `kill`: no process of it is left. Called once. */
  onGone(): void;
}

export type ProcessEnding =
  | { readonly kind: "status"; readonly status: number }
  | { readonly kind: "signal"; readonly signal: string }
  /** It was ended for using more memory than it may. */
  | { readonly kind: "outOfMemory" }
  /** It was ended for having more files than its folder may have. */
  | { readonly kind: "outOfStorage"; readonly megabytesMax: number }
  /** There is no such program. `errorType`: one of Lambda's. */
  | { readonly kind: "invalid"; readonly errorType: string; readonly message: string }
  /** The machine could not start it. */
  | { readonly kind: "unstarted"; readonly message: string };
