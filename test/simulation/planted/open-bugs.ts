/**
 * Planted bugs that no checker is known to catch since the engine under them was rebuilt: debts, not proofs. A plain
 * `npm run simulate:bugs` leaves them out and says so; `-- --open` hunts them. Whoever makes one be caught takes it off
 * here.
 */
export const OPEN_BUGS: ReadonlySet<string> = new Set([
  // Each is seen by a unit test (test/contract/planted/bugs/engine.ts), and here by one seed of tens of thousands.
  "an ended parent that one listing leaves out is taken for past",
  "a slow extension holds up all others",
  "what is kept behind a lost message overtakes it",
  "what a window gives up tells its ends not apart",
]);
