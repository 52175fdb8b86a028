/** Calls of one function in one process, whoever made them. */
export interface CallFigures {
  readonly fn: string;
  readonly running: number;
  /** For their turn. */
  readonly waiting: number;
}
