import type { Reason } from "../model/reason.ts";

/** What a reason says to people: what is in the way, and what to do. The runbook has a section for each code. */
export interface Remedy {
  readonly says: string;
  readonly toDo: string;
}

/** `problem`: of the facts, as a tail of a sentence; empty where there is none. */
export type RemedyText = (facts: Reason["facts"], problem: string) => Remedy;
