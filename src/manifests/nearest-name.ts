/**
 * The name that was probably meant: the same but for upper and lower case, cut short, or at most a third of its
 * characters away. `undefined` when nothing is near.
 */
export function nearestName(given: string, known: readonly string[]): string | undefined {
  const wanted = given.slice(0, NAME_CHARS_MAX).toLowerCase();
  let nearest: string | undefined;
  let nearestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const name of known) {
    const distance = editDistance(wanted, name.toLowerCase());
    if (distance < nearestDistance) {
      nearest = name;
      nearestDistance = distance;
    }
  }
  return nearest ?? known.find((name) => wanted.length > 1 && name.toLowerCase().startsWith(wanted));
}

/** A name that is longer is not a slip of the keyboard; comparing it would only cost time. */
const NAME_CHARS_MAX = 64;

/** Optimal string alignment: insertions, deletions, replacements, and neighbours that changed places. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      let cost = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (isSame ? 0 : 1),
      );
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (isSwap) cost = Math.min(cost, at(beforePrevious, column - 2) + 1);
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
