/** A part of the rate's course: steady, or from one rate to another, with bursts on top or without. */
export interface RatePhase {
  readonly seconds: number;
  readonly perSecond: number;
  /** Left out: the rate stays. */
  readonly toPerSecond?: number | undefined;
  /** So many records at once, at the beginning of the phase and again every so many seconds. */
  readonly burst?: { readonly records: number; readonly everySeconds: number } | undefined;
}

/** Milliseconds. */
export function profileDurationMs(phases: readonly RatePhase[]): number {
  return phases.reduce((sum, { seconds }) => sum + seconds * 1000, 0);
}

/** Records that the profile asks for. */
export function profileRecords(phases: readonly RatePhase[]): number {
  return phases.reduce((sum, phase) => sum + steadyCount(phase) + burstCount(phase), 0);
}

/** Records a second that the profile asks for at a moment, bursts left aside. */
export function plannedRate(phases: readonly RatePhase[], atMs: number): number {
  let startMs = 0;
  for (const { seconds, perSecond, toPerSecond = perSecond } of phases) {
    const endMs = startMs + seconds * 1000;
    if (atMs < endMs) return perSecond + ((toPerSecond - perSecond) * (atMs - startMs)) / (endMs - startMs);
    startMs = endMs;
  }
  return 0;
}

/**
 * When each record is due, in milliseconds since the start, in order. This is the open loop: moments do not depend on
 * how fast the source or the engine is, and latency counts from them.
 */
export function* dueTimes(phases: readonly RatePhase[]): Generator<number, undefined> {
  let startMs = 0;
  for (const phase of phases) {
    yield* mergeSorted(steadyTimes(phase, startMs), burstTimes(phase, startMs));
    startMs += phase.seconds * 1000;
  }
  return undefined;
}

/** The nth record of a phase is due when the area under its rate has grown to n. */
function* steadyTimes(phase: RatePhase, startMs: number): Generator<number, undefined> {
  const { seconds, perSecond, toPerSecond = perSecond } = phase;
  const slope = (toPerSecond - perSecond) / seconds;
  const count = steadyCount(phase);
  for (let index = 0; index < count; index++) {
    // Written so that a slope of 0 and a rate of 0 at the start need no case of their own.
    const root = Math.sqrt(Math.max(0, perSecond ** 2 + 2 * slope * index));
    const afterSeconds = index === 0 ? 0 : (2 * index) / (perSecond + root);
    yield startMs + afterSeconds * 1000;
  }
  return undefined;
}

function* burstTimes({ seconds, burst }: RatePhase, startMs: number): Generator<number, undefined> {
  if (burst === undefined) return undefined;
  for (let atSeconds = 0; atSeconds < seconds; atSeconds += burst.everySeconds) {
    for (let index = 0; index < burst.records; index++) yield startMs + atSeconds * 1000;
  }
  return undefined;
}

function steadyCount({ seconds, perSecond, toPerSecond = perSecond }: RatePhase): number {
  return Math.floor(((perSecond + toPerSecond) / 2) * seconds + 1e-9);
}

function burstCount({ seconds, burst }: RatePhase): number {
  return burst === undefined ? 0 : Math.ceil(seconds / burst.everySeconds) * burst.records;
}

function* mergeSorted(
  left: Iterator<number, undefined>,
  right: Iterator<number, undefined>,
): Generator<number, undefined> {
  let one = left.next();
  let other = right.next();
  while (one.done !== true || other.done !== true) {
    if (other.done === true || (one.done !== true && one.value <= other.value)) {
      if (one.done !== true) yield one.value;
      one = left.next();
    } else {
      yield other.value;
      other = right.next();
    }
  }
  return undefined;
}
