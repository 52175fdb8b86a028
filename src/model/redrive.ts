import type { Position } from "./record.ts";

/** One record or message that was given up, ready to be handed to its function again. */
export interface RedriveItem {
  /** Failure and place in it: what is loaded twice is there once. */
  readonly id: string;
  /** The row of the catalogue that it is a part of. */
  readonly failureId: string;
  /** What functions call it in a partial response. */
  readonly itemId: string;
  readonly shardId: string;
  readonly position: Position;
  /** Items of one key are redriven in order. `undefined`: it has none, and waits for no other. */
  readonly key: string | undefined;
  /** As the source gave it, epoch milliseconds; `undefined`: it gave none. */
  readonly arrivalMs: number | undefined;
  /** Its element of the event, byte for byte; `undefined`: nobody has it any more, and it ends as `gone`. */
  readonly element: Uint8Array | undefined;
}

/**
 * `planned`: nobody has begun it. `done`: each of its items has come to an end; where some are uncertain it may go on
 * by `retryUncertain`, and is concluded when it is cancelled.
 */
export type RedriveState = "planned" | "running" | "paused" | "done" | "cancelled";

/**
 * Whether an item whose end nobody knows, since a process ended while the function had it, is handed over again by
 * itself.
 */
export type RedriveDelivery = "at-most-once" | "at-least-once";

/** What a redrive is made of. It never changes but for its rate. */
export interface NewRedrive {
  readonly id: string;
  /** No two redrives of a store have the same. */
  readonly name: string;
  /** The mapping's UUID: its function gets the items, in events of its source. */
  readonly mapping: string;
  /** Who feeds it knows what it means. */
  readonly selection: string;
  /** `undefined`: as the mapping says. */
  readonly to: RedriveTarget;
  /** Items a second; `undefined`: as fast as the function takes them. */
  readonly rate: number | undefined;
  /** Part of the function's concurrency that it may use, above 0 and at most 1. */
  readonly share: number;
  readonly delivery: RedriveDelivery;
  /** Items of the selection when it was made. */
  readonly selected: number;
  /** Who made it, as the audit log has it. */
  readonly caller: string;
  /** Epoch milliseconds. */
  readonly createdMs: number;
}

export type RedriveTarget =
  /** The mapping's function. */
  | { readonly kind: "function" }
  /** Another one in its place, with its qualifier. */
  | { readonly kind: "candidate"; readonly functionName: string }
  /** Back to the queue that they came from. */
  | { readonly kind: "source" };

export interface Redrive extends NewRedrive {
  readonly state: RedriveState;
  /** Rises with each change of state or rate. */
  readonly version: number;
  /** How far it is loaded, in the words of who feeds it; `undefined`: nothing is loaded yet. */
  readonly cursor: string | undefined;
  /** All of the selection is in the store. */
  readonly isLoaded: boolean;
  readonly endedMs: number | undefined;
  /** Who feeds it knows of its end, and nothing is left of it but what is told of it. */
  readonly isConcluded: boolean;
}

/** Where an item stands. */
export type ItemState =
  | "waiting"
  /** It waits behind an item of its key that failed or is uncertain. */
  | "held"
  /** The function has it, or may have it. */
  | "started"
  | "done"
  /** The function has had it, and said that it failed. */
  | "failed"
  /** A process ended, or the function did not answer, while the function had it. */
  | "uncertain"
  /** Nobody has its payload any more. */
  | "gone";

export type EndedState = Extract<ItemState, "done" | "failed" | "uncertain" | "gone">;

/** What the function said, as far as it may be kept. */
export interface ItemError {
  readonly type: string;
  readonly message: string;
  /** The error's in the error book; absent: nobody has noted it. */
  readonly id?: string;
}

/** `loaded` is the sum of all behind it. */
export interface RedriveCounts {
  readonly selected: number;
  readonly loaded: number;
  readonly waiting: number;
  readonly started: number;
  readonly done: number;
  readonly failed: number;
  readonly held: number;
  readonly gone: number;
  readonly uncertain: number;
}

/** Part of the function's concurrency that a redrive may use, unless it says otherwise. */
export const REDRIVE_SHARE_DEFAULT = 0.25;
