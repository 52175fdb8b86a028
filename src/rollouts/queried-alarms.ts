import type { AlarmQuery } from "../ports/alarm-query.ts";
import type { Clock } from "../ports/clock.ts";

/** How often a query is asked. */
const ASK_MS = 5_000;
/** An answer that is older says nothing any more. */
const UNKNOWN_MS = 15_000;
const QUERIES_MAX = 100;

export type AlarmState = "on" | "off" | "unknown";

interface Asked {
  state: AlarmState;
  answeredMs: number;
  askedMs: number;
  isUnderWay: boolean;
}

/** Alarms that a server of metrics knows: asked in the background, so that no rollout waits for another's answer. */
export class QueriedAlarms {
  readonly #source: AlarmQuery | undefined;
  readonly #clock: Clock;
  readonly #asked = new Map<string, Asked>();

  /** `source` absent: no alarm is known. */
  constructor(source: AlarmQuery | undefined, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /** As it was answered last; asks anew when it is time. */
  stateOf(query: string): AlarmState {
    const nowMs = this.#clock.monotonic();
    const asked = this.#asked.get(query) ?? this.#remember(query);
    if (!asked.isUnderWay && nowMs - asked.askedMs >= ASK_MS) this.#ask(query, asked, nowMs);
    // plant: an-answer-of-long-ago-is-taken-for-now
    return nowMs - asked.answeredMs < UNKNOWN_MS ? asked.state : "unknown";
  }

  #remember(query: string): Asked {
    const [oldest] = this.#asked.keys();
    if (this.#asked.size >= QUERIES_MAX && oldest !== undefined) this.#asked.delete(oldest);
    const never = Number.NEGATIVE_INFINITY;
    const asked: Asked = { state: "unknown", answeredMs: never, askedMs: never, isUnderWay: false };
    this.#asked.set(query, asked);
    return asked;
  }

  #ask(query: string, asked: Asked, nowMs: number): void {
    const source = this.#source;
    if (source === undefined) return;
    asked.askedMs = nowMs;
    asked.isUnderWay = true;
    void source.ask(query).then((isOn) => {
      asked.isUnderWay = false;
      if (isOn === undefined) return;
      asked.state = isOn ? "on" : "off";
      asked.answeredMs = this.#clock.monotonic();
    });
  }
}
