/** Chance. Seeded in the simulation. */
export interface Random {
  /** 0 ≤ x < 1 */
  next(): number;
  /** A version 4 UUID in lower case. */
  uuid(): string;
}
