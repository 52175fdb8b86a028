/** A hang-up asks to stop when a terminal is closed; where there is none it asks to read the manifests anew. */
export type StopSignal = "SIGTERM" | "SIGINT" | "SIGHUP";
