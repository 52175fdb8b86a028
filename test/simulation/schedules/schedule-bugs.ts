import type { Patch } from "../planted/planted-bug.ts";

/** A bug of schedules that this simulation must see. */
export interface ScheduleBug {
  readonly name: string;
  /** A violation of any of these must be seen. */
  readonly breaks: readonly string[];
  readonly patches: readonly Patch[];
}

export const SCHEDULE_BUGS: readonly ScheduleBug[] = [
  bug("the cursor of a schedule is moved in a second write", {
    at: "the-cursor-is-moved-in-a-second-write",
    instead:
      "if (items.length > 0) await queue.put(items);\nconst answer = await queue.put([], { name, from, to: to.text });",
  }),
  bug("a generation is missing in the cursor of a schedule", {
    at: "a-generation-is-missing-in-the-cursor",
    instead: 'if (place.generation === NEVER) return { kind: "wait", untilMs: NEVER };',
  }),
  bug("a doubled hour is meant twice", {
    at: "a-doubled-hour-is-meant-twice",
    instead:
      "const first = zone.instantOf(wallMs);\nconst again = first === undefined ? 0 : first + 3_600_000;\nconst atMs = again > afterMs && zone.wallAt(again) === wallMs && (first ?? 0) <= afterMs ? again : first;",
  }),
  bug("a skipped hour fires", {
    at: "a-skipped-hour-fires",
    instead:
      "return Math.max(...(instants.length === 0 ? [...offsets].map((offset) => wallMs - offset) : instants));",
  }),
  bug("a disabled schedule fires on a stale row", {
    at: "a-disabled-schedule-fences-nobody-off",
    instead: 'if (place.generation < scheduled.generation && scheduled.isEnabled) return { kind: "begin" };',
  }),
];

function bug(name: string, ...patches: readonly Patch[]): ScheduleBug {
  return { name, breaks: ["I37"], patches };
}
