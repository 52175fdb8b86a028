import { z } from "zod";
import { type Rollout, shareOf } from "../model/rollout.ts";
import type { ResourceDocument } from "./document.ts";

/** Something that happened to a rollout of an alias: it began, took a step, or ended. */
export interface RolloutEvent {
  /** The rollout's. */
  readonly id: string;
  /** Epoch milliseconds, for people. */
  readonly atMs: number;
  readonly from: string;
  readonly to: string;
  /** Share of the traffic that the new version had from then on, 0 to 1. */
  readonly share: number;
  readonly status: Rollout["status"];
  readonly reason?: string | undefined;
}

/** A rollout of a hundred steps, and the last ones before it. */
const EVENTS_MAX = 200;

const history = z.object({
  rolloutEvents: z.array(
    z.object({
      id: z.string(),
      atMs: z.number(),
      from: z.string(),
      to: z.string(),
      share: z.number(),
      status: z.enum(["InProgress", "Succeeded", "Failed", "Stopped"]),
      reason: z.string().optional(),
    }),
  ),
});

/** What happened to rollouts of the alias, oldest first. */
export function rolloutEvents({ members }: Pick<ResourceDocument, "members">): readonly RolloutEvent[] {
  return history.safeParse(members).data?.rolloutEvents ?? [];
}

/**
 * Members of the alias's row, with what this write does to its rollout. They stand there because processes of an older
 * version keep members as they are, and know no other fields.
 */
export function withRolloutEvent(
  document: Pick<ResourceDocument, "members" | "rollout">,
  next: Rollout,
  atMs: number,
): Readonly<Record<string, unknown>> {
  const { members = {}, rollout: before } = document;
  const { id, from, to, status, reason } = next;
  const isSame = before?.id === id && before.status === status && shareOf(before) === shareOf(next);
  const events = rolloutEvents(document);
  if (isSame && events.some((event) => event.id === id)) return members;
  const event: RolloutEvent = { id, atMs, from, to, share: shareOf(next), status, reason };
  return { ...members, rolloutEvents: [...events, event].slice(-EVENTS_MAX) };
}
