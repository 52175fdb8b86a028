import {
  type Engine,
  type MappingExplanation,
  type MappingStatus,
  type PartReasons,
  reasonsOf,
  STANDSTILL_MS,
  type Standstill,
} from "../engine/engine.ts";
import { isNoReason, type Reason, type ReasonCode, reason, scopeOf } from "../model/reason.ts";
import type { Clock, ScheduledCall } from "../ports/clock.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { SeenPart } from "./process-snapshot.ts";
import { remedyOf } from "./remedies.ts";

export interface StandstillBookOptions {
  readonly engine: Pick<Engine, "explain" | "redriven">;
  readonly status: () => readonly MappingStatus[];
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

const LOOK_MS = 5_000;
/** Whoever asks is told what is so now, and many who ask cost one look. */
const FRESH_MS = 500;
/** Nobody could say why for so long: it is told once, as a defect. */
const UNKNOWN_MS = 60_000;
const DUMP_CHARS_MAX = 8_192;
/** Until a moment that the reason names, or by somebody's wish: shown, and not told in the log. */
const NOT_TOLD: readonly ReasonCode[] = ["messagesHidden", "stopping", "disabled", "updating"];
const UNKNOWN = reason("unknown");

/** What was last seen of a part that holds work. Times are monotonic. */
interface Seen {
  readonly progress: string;
  readonly sinceMs: number;
  /** Since when nobody can say why. */
  readonly unknownMs: number | undefined;
}

/**
 * Knows what the parts of the mappings of this process wait for, and which hold work and have brought nothing to an end
 * for `STANDSTILL_MS`: these are told once, with the reason (S1). Attempts are no progress.
 */
export class StandstillBook {
  readonly #options: StandstillBookOptions;
  /** By mapping and part. */
  #seen = new Map<string, Seen>();
  #parts = new Map<string, readonly SeenPart[]>();
  #told = new Set<string>();
  #lookedMs = Number.NEGATIVE_INFINITY;
  #timer: ScheduledCall | undefined;

  constructor(options: StandstillBookOptions) {
    this.#options = options;
    this.#plan();
  }

  /** Parts of one mapping that hold work, or have a reason to wait, as they are now. */
  parts(uuid: string): readonly SeenPart[] {
    if (this.#options.clock.monotonic() - this.#lookedMs > FRESH_MS) this.#look();
    return this.#parts.get(uuid) ?? [];
  }

  /** Those that stand still, as of the last look. */
  standing(uuid: string): readonly SeenPart[] {
    const standsFrom = this.#options.clock.now() - STANDSTILL_MS;
    const parts = this.#parts.get(uuid) ?? [];
    return parts.filter(({ holdsWork, sinceMs }) => holdsWork && sinceMs <= standsFrom);
  }

  /** What metrics show of it: the longest of each reason. */
  standstills(uuid: string): readonly Standstill[] {
    const nowMs = this.#options.clock.now();
    const longest = new Map<ReasonCode, number>();
    for (const { sinceMs, reasons } of this.standing(uuid)) {
      const seconds = Math.max(0, nowMs - sinceMs) / 1000;
      for (const { code } of reasons) longest.set(code, Math.max(seconds, longest.get(code) ?? 0));
    }
    return [...longest].map(([code, seconds]) => ({ reason: code, seconds }));
  }

  /** What stands still, in a text: another one says that something has changed. */
  get trouble(): string {
    return [...this.#told].sort().join();
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
    const [nowMs, epochMs] = [clock.monotonic(), clock.now()];
    const seen = new Map<string, Seen>();
    const parts = new Map<string, readonly SeenPart[]>();
    const told = new Set<string>();
    // Whoever is asked below may ask for this in turn.
    this.#lookedMs = nowMs;
    for (const mapping of status()) {
      const explanation = engine.explain(mapping.uuid);
      const all = [
        ...startParts(mapping),
        ...(explanation === undefined ? [] : reasonsOf(explanation, epochMs)),
        ...(engine.redriven?.(mapping.uuid) ?? []),
      ];
      const shown = all.flatMap((part): SeenPart[] => {
        const given = part.reasons.filter(({ code }) => !isNoReason(code));
        if (!part.holdsWork && given.length === 0) return [];
        const key = `${mapping.uuid} ${part.part}`;
        const known = this.#seen.get(key);
        const isSame = part.holdsWork && known?.progress === part.progress;
        const sinceMs = isSame ? known.sinceMs : nowMs;
        const isStanding = part.holdsWork && nowMs - sinceMs >= STANDSTILL_MS;
        const reasons = isStanding && given.length === 0 ? [UNKNOWN] : given;
        const isUnknown = reasons.some(({ code }) => code === "unknown");
        const unknownMs = isUnknown ? (known?.unknownMs ?? nowMs) : undefined;
        if (part.holdsWork) seen.set(key, { progress: part.progress, sinceMs, unknownMs });
        if (isStanding) for (const each of reasons) this.#tell(mapping, part.part, each, told);
        if (isStanding && unknownMs !== undefined && nowMs - unknownMs >= UNKNOWN_MS)
          this.#tellUnknown(mapping, part, explanation, told);
        return [{ part: part.part, holdsWork: part.holdsWork, sinceMs: sinceMs + epochMs - nowMs, reasons }];
      });
      if (shown.length > 0) parts.set(mapping.uuid, shown);
    }
    this.#seen = seen;
    this.#parts = parts;
    this.#told = told;
  }

  /** Once for as long as it lasts. */
  #tell({ name, uuid }: MappingStatus, part: string, told: Reason, all: Set<string>): void {
    const { code } = told;
    if (code === "unknown" || scopeOf(code) === "byDesign" || NOT_TOLD.includes(code)) return;
    if (!this.#isFirst(`${uuid} ${part} ${code}`, all)) return;
    const { says } = remedyOf(told);
    const fields = { mapping: name, shardId: part, reason: code, error: says };
    this.#options.telemetry.log("warn", "a part of a mapping holds work and makes no progress", fields);
  }

  #tellUnknown(
    { name, uuid }: MappingStatus,
    { part, progress, reasons }: PartReasons,
    explanation: MappingExplanation | undefined,
    told: Set<string>,
  ): void {
    if (!this.#isFirst(`${uuid} ${part} unknown`, told)) return;
    const dump = JSON.stringify(
      { progress, reasons, explanation: ofPart(explanation, part) },
      withoutContent,
    );
    const fields = { mapping: name, shardId: part, reason: "unknown", dump: dump.slice(0, DUMP_CHARS_MAX) };
    const message =
      "a part of a mapping holds work, makes no progress, and nobody can say why: a defect of millrace";
    this.#options.telemetry.log("error", message, fields);
  }

  #isFirst(key: string, told: Set<string>): boolean {
    told.add(key);
    return !this.#told.has(key);
  }
}

/** A mapping that cannot be started holds whatever its source holds. */
function startParts({
  state,
  problem,
  problemReason = "cannotStart",
  name,
}: MappingStatus): readonly PartReasons[] {
  if (problem !== undefined) {
    const reasons = [reason(problemReason, { facts: { problem } })];
    return [{ part: name, holdsWork: true, progress: problem, reasons }];
  }
  if (state !== "Failed") return [];
  return [{ part: name, holdsWork: true, progress: state, reasons: [reason("failed")] }];
}

function ofPart(explanation: MappingExplanation | undefined, part: string): unknown {
  if (explanation?.kind !== "stream") return explanation;
  return explanation.shards.filter(({ shardId }) => part === shardId || part.startsWith(`${shardId} `));
}

const CONTENT: readonly string[] = ["group", "groups", "waitingGroups", "tenants", "lastProblem", "problem"];

/** No names that records brought: the log never has them. */
function withoutContent(member: string, value: unknown): unknown {
  return CONTENT.includes(member) ? undefined : value;
}
