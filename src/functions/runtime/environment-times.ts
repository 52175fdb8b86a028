/** Lambda's time for an init that is no part of an invocation (invocation §4). */
export const INIT_MS = 10_000;
/** A runtime's part of AWS's time for a shutdown. */
export const TERMINATE_MS = 300;
/** AWS's `maxProcessExitWait`. */
export const KILL_MS = 2_000;
/** What extensions have to end; less than a process has to die. */
export const SHUTDOWN_MS = 1_500;
export const AWAY_MS = 1_000;
/** Who has answered asks for more within a millisecond; on a machine that is busy, later. */
export const RETURN_MS = 1_000;
