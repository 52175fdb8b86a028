/** A range of an ordered set: numbers, or texts of one length compared by code unit. */
export interface Interval<K extends number | bigint | string> {
  readonly low: K;
  readonly isLowIncluded: boolean;
  readonly high: K;
  readonly isHighIncluded: boolean;
}

/** Whether a key lies in any of the intervals, by binary search over their union. */
export function compileIntervals<K extends number | bigint | string>(
  intervals: readonly Interval<K>[],
): (key: K) => boolean {
  const union = uniteIntervals(intervals);
  const lows = union.map((interval) => interval.low);
  return (key) => {
    let from = 0;
    let to = lows.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((lows[middle] as K) <= key) from = middle + 1;
      else to = middle;
    }
    // Disjoint intervals that both meet at the key exclude it, or they would be one: only the last that begins by it
    // counts.
    const last = union[from - 1];
    return last !== undefined && isInside(last, key);
  };
}

function isInside<K extends number | bigint | string>(interval: Interval<K>, key: K): boolean {
  if (key < interval.low || key > interval.high) return false;
  if (key === interval.low && !interval.isLowIncluded) return false;
  return key !== interval.high || interval.isHighIncluded;
}

/** The same set as disjoint intervals in ascending order, so that a key is in at most one, found by its neighbours. */
export function uniteIntervals<K extends number | bigint | string>(
  intervals: readonly Interval<K>[],
): Interval<K>[] {
  const sorted = [...intervals].sort(compareLows);
  const union: Interval<K>[] = [];
  for (const next of sorted) {
    const last = union.at(-1);
    const isApart =
      last === undefined ||
      next.low > last.high ||
      (next.low === last.high && !next.isLowIncluded && !last.isHighIncluded);
    if (isApart) union.push(next);
    else union[union.length - 1] = { ...last, ...higherEnd(last, next) };
  }
  return union;
}

function compareLows<K extends number | bigint | string>(a: Interval<K>, b: Interval<K>): number {
  if (a.low !== b.low) return a.low < b.low ? -1 : 1;
  return Number(b.isLowIncluded) - Number(a.isLowIncluded);
}

function higherEnd<K extends number | bigint | string>(
  a: Interval<K>,
  b: Interval<K>,
): Pick<Interval<K>, "high" | "isHighIncluded"> {
  if (a.high === b.high) return { high: a.high, isHighIncluded: a.isHighIncluded || b.isHighIncluded };
  return a.high > b.high
    ? { high: a.high, isHighIncluded: a.isHighIncluded }
    : { high: b.high, isHighIncluded: b.isHighIncluded };
}
