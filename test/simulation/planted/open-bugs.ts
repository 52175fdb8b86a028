/**
 * Planted bugs that no checker is known to catch since the engine under them was rebuilt: debts, not proofs. A plain
 * `npm run simulate:bugs` leaves them out and says so; `-- --open` hunts them. Whoever makes one be caught takes it off
 * here.
 */
export const OPEN_BUGS: ReadonlySet<string> = new Set([
  // Seen by its unit test (hold-keeper.test.ts), and by I23 in one seed of some thousand.
  "a slow extension holds up all others",
]);
