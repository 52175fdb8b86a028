import type { Telemetry } from "../../ports/telemetry.ts";
import type { AttemptNotes } from "../invoke/attempt-notes.ts";
import type { BufferedRecord } from "./buffered-record.ts";
import type { Again, GiveUp } from "./decision.ts";
import type { Segment } from "./segment.ts";
import type { ShardContext } from "./shard-context.ts";

/** What becomes of a segment whose retries are used up. */
export type Fate =
  /** It goes to the destination. */
  | { readonly kind: "givenUp" }
  /** It is parked. */
  | { readonly kind: "done" }
  | { readonly kind: "stopped" }
  /** It is tried again, beyond its retries. */
  | { readonly kind: "blocked"; readonly again: Again }
  /** Nobody knows which of its keys is guilty: each is tried by itself. */
  | { readonly kind: "split"; readonly parts: readonly (readonly BufferedRecord[])[] };

const GIVEN_UP: Fate = { kind: "givenUp" };

/** `takeFollowers`: what the batch still has of a key behind the segment. */
export async function fateOf(
  { parking, shardId, telemetry, isClosed }: ShardContext,
  decision: GiveUp,
  notes: Pick<AttemptNotes, "does">,
  takeFollowers: (key: string) => readonly BufferedRecord[],
): Promise<Fate> {
  const { segment, condition, response } = decision;
  const [first] = segment.records;
  // No function has answered where the size of a record is at fault: it could never succeed.
  if (parking === undefined || first === undefined || response === undefined) return GIVEN_UP;
  const parts = [...Map.groupBy(segment.records, ({ record }) => record.key).values()];
  // plant: a-batch-of-several-keys-is-parked-as-its-first
  if (parts.length > 1) {
    telemetry.mark("batch split by key");
    return { kind: "split", parts };
  }
  const { key, position } = first.record;
  if (key === undefined) return GIVEN_UP;
  if (parking.isShut) return blocked(telemetry, decision);
  notes.does("parking");
  const cause = { condition, error: segment.cause, shardId, position };
  const answer = await parking.park(key, segment.records, cause, () => takeFollowers(key));
  if (answer === "stopped" || isClosed()) return { kind: "stopped" };
  if (answer === "parked") return { kind: "done" };
  return parking.whenFull === "block" ? blocked(telemetry, decision) : GIVEN_UP;
}

function blocked(telemetry: Pick<Telemetry, "mark">, { segment, triedForMs }: GiveUp): Fate {
  telemetry.mark("batch blocked beyond its retries");
  const backoff = { tries: segment.failures, atLeastMs: 0 };
  return { kind: "blocked", again: { kind: "again", segment, costsRetry: true, backoff, triedForMs } };
}

/** What a segment is with these of its records alone. */
export type RestOf = (segment: Segment, records: readonly BufferedRecord[]) => Segment;

/** Takes the records of a key out of segments that come later; `stack` has the next one last. In their order. */
export function takeOfKey(stack: Segment[], key: string, rest: RestOf): readonly BufferedRecord[] {
  const taken: BufferedRecord[] = [];
  const kept: Segment[] = [];
  for (const segment of stack.toReversed()) {
    const { records } = segment;
    const left = records.filter(({ record }) => record.key !== key);
    if (left.length === records.length) {
      kept.push(segment);
      continue;
    }
    // plant: followers-in-the-batch-are-forgotten
    taken.push(...records.filter(({ record }) => record.key === key));
    if (left.length > 0) kept.push(rest(segment, left));
  }
  stack.splice(0, stack.length, ...kept.reverse());
  return taken;
}
