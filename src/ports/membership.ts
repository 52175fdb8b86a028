/** This process among those of its store, as their beats tell. */
export interface Membership {
  /** The name of this life: after a cut-off it is another one. */
  readonly processId: string;
  /** Rises with each life: to compare without making a name. */
  readonly life: number;
  /**
   * The others do not wait for this process, or soon will not: what it read of the store may be over. By its own
   * monotonic clock at this moment, since a timer of a process that stood still is late.
   */
  readonly isCutOff: boolean;
  /** Processes that live, this one among them. */
  readonly living: number;
  /** Their names, as far as they are known. */
  readonly names: readonly string[];
  /** Its beat has stood still, or was not seen at all, for so long that it has cut itself off. */
  isGone(processId: string): boolean;
}
