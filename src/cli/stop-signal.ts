/** A terminal's hang-up asks to stop as the others do. */
export type StopSignal = "SIGTERM" | "SIGINT" | "SIGHUP";
