import {
  type Engine,
  type MappingStatus,
  type PartReasons,
  reasonsOf,
  STANDSTILL_MS,
  type Standstill,
} from "../engine/engine.ts";
import { isNoReason, type Reason, type ReasonCode } from "../model/reason.ts";
import type { Clock, ScheduledCall } from "../ports/clock.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { remedyOf } from "./remedies.ts";

export interface StandstillBookOptions {
  readonly engine: Engine;
  readonly status: () => readonly MappingStatus[];
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** Parts that stand still, and why. */
export interface StandingPart {
  readonly part: string;
  /** Epoch milliseconds: since when nothing of it was brought to an end. */
  readonly sinceMs: number;
  readonly reasons: readonly Reason[];
}

const LOOK_MS = 5_000;
/** By design, until a moment that the reason names: shown, and not told in the log. */
const BY_DESIGN: readonly ReasonCode[] = [
  "fillingBatch",
  "functionRuns",
  "windowOpen",
  "messagesHidden",
  "stopping",
];
const UNKNOWN: Reason = { code: "unknown", sinceMs: undefined, untilMs: undefined, facts: {} };

/**
 * Knows which parts of the mappings of this process hold work and have brought nothing to an end for `STANDSTILL_MS`,
 * and tells each once, with its reason (I24). Attempts are no progress.
 */
export class StandstillBook {
  readonly #options: StandstillBookOptions;
  /** By mapping and part. */
  #seen = new Map<string, { readonly progress: string; readonly sinceMs: number }>();
  readonly #standing = new Map<string, readonly StandingPart[]>();
  #told = new Set<string>();
  #timer: ScheduledCall | undefined;

  constructor(options: StandstillBookOptions) {
    this.#options = options;
    this.#plan();
  }

  /** The parts of one mapping. */
  standing(uuid: string): readonly StandingPart[] {
    return this.#standing.get(uuid) ?? [];
  }

  /** What metrics show of it: the longest of each reason. */
  standstills(uuid: string): readonly Standstill[] {
    const nowMs = this.#options.clock.now();
    const longest = new Map<ReasonCode, number>();
    for (const { sinceMs, reasons } of this.standing(uuid)) {
      const seconds = Math.max(0, nowMs - sinceMs) / 1000;
      for (const { code } of reasons) longest.set(code, Math.max(seconds, longest.get(code) ?? 0));
    }
    return [...longest].map(([reason, seconds]) => ({ reason, seconds }));
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #plan(): void {
    this.#timer = this.#options.clock.schedule(LOOK_MS, () => {
      this.#plan();
      this.#look();
    });
  }

  #look(): void {
    const { engine, status, clock } = this.#options;
    const seen = new Map<string, { readonly progress: string; readonly sinceMs: number }>();
    const told = new Set<string>();
    this.#standing.clear();
    const nowMs = clock.monotonic();
    const epochMs = clock.now() - nowMs;
    for (const mapping of status()) {
      const explanation = engine.explain(mapping.uuid);
      const parts = [
        ...startParts(mapping),
        ...(explanation === undefined ? [] : reasonsOf(explanation, clock.now())),
      ];
      const standing = parts.flatMap((part): StandingPart[] => {
        if (!part.holdsWork) return [];
        const key = `${mapping.uuid} ${part.part}`;
        const known = this.#seen.get(key);
        const sinceMs = known?.progress === part.progress ? known.sinceMs : nowMs;
        seen.set(key, { progress: part.progress, sinceMs });
        if (nowMs - sinceMs < STANDSTILL_MS) return [];
        const given = part.reasons.filter(({ code }) => !isNoReason(code));
        const reasons = given.length === 0 ? [UNKNOWN] : given;
        for (const reason of reasons) this.#tell(mapping, part.part, reason, told);
        return [{ part: part.part, sinceMs: sinceMs + epochMs, reasons }];
      });
      if (standing.length > 0) this.#standing.set(mapping.uuid, standing);
    }
    this.#seen = seen;
    this.#told = told;
  }

  /** Once for as long as it lasts. */
  #tell({ name, uuid }: MappingStatus, part: string, reason: Reason, told: Set<string>): void {
    if (BY_DESIGN.includes(reason.code)) return;
    const key = `${uuid} ${part} ${reason.code}`;
    told.add(key);
    if (this.#told.has(key)) return;
    const level = reason.code === "unknown" ? "error" : "warn";
    const { says } = remedyOf(reason);
    const fields = { mapping: name, shardId: part, reason: reason.code, error: says };
    this.#options.telemetry.log(level, "a part of a mapping holds work and makes no progress", fields);
  }
}

/** A mapping that cannot be started holds whatever its source holds. */
function startParts({ state, problem, name }: MappingStatus): readonly PartReasons[] {
  if (problem !== undefined) {
    const reason: Reason = {
      code: "cannotStart",
      sinceMs: undefined,
      untilMs: undefined,
      facts: { problem },
    };
    return [{ part: name, holdsWork: true, progress: problem, reasons: [reason] }];
  }
  if (state !== "Failed") return [];
  return [{ part: name, holdsWork: true, progress: state, reasons: [{ ...UNKNOWN, code: "failed" }] }];
}
