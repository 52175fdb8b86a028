/** What the scheduler tells of ticks. Calls are cheap and never throw. */
export interface ScheduleTelemetry {
  /** A tick of a schedule was enqueued, so long after it was due. */
  ticked(schedule: string, lagMs: number): void;
  /** So many ticks were not enqueued in time, and are not any more. */
  missed(schedule: string, ticks: number): void;
}
