import { isDeepStrictEqual } from "node:util";
import type { EventRecords } from "./event-records.ts";

/** Which places of the event are done when the one at `failing` was named as failed. */
export function settledBy(
  { identities, partialRule }: EventRecords,
  failing: number | undefined,
): (place: number) => boolean {
  if (failing === undefined) return () => true;
  const key = identities[failing]?.key;
  switch (partialRule) {
    case "alone":
      return (place) => place !== failing;
    case "allBehind":
      return (place) => place < failing;
    case "keyBehind":
      return (place) => place < failing || (place > failing && identities[place]?.key !== key);
  }
}

/**
 * Places of the event that an answer names as failed; `all`: it names what the event does not have, or is no answer.
 */
export function failingItems(event: EventRecords, body: Buffer): readonly number[] | "all" {
  const items = listedItems(body);
  if (items === undefined) return "all";
  const places = items.map((item) =>
    event.itemIdentifiers.findIndex((known) => isDeepStrictEqual(known, item)),
  );
  return places.includes(-1) ? "all" : places;
}

/** Which places are done when these were named. */
export function settledByItems(
  event: EventRecords,
  failing: readonly number[] | "all",
): (place: number) => boolean {
  if (failing === "all") return () => false;
  const rules = failing.map((place) => settledBy(event, place));
  return (place) => rules.every((isSettled) => isSettled(place));
}

/** As AWS reads them: an answer without a list, or with none, is a success of all. */
function listedItems(body: Buffer): readonly unknown[] | undefined {
  if (body.length === 0) return [];
  try {
    const answer: unknown = JSON.parse(body.toString());
    const failures = member(answer, "batchItemFailures") ?? [];
    if (!Array.isArray(failures)) return undefined;
    return failures.map((failure) => member(failure, "itemIdentifier"));
  } catch {
    return undefined;
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
