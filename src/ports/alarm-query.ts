/** Asks a server of metrics whether an alarm is on. */
export interface AlarmQuery {
  /** `undefined`: nobody knows now. Never rejects; ends within some seconds. */
  ask(query: string): Promise<boolean | undefined>;
}
