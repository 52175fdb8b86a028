import { createHash } from "node:crypto";
import { z } from "zod";
import { declaredRollout, orderOf } from "../../manifests/rollout-schema.ts";
import type { Rollout, RolloutOrder } from "../../model/rollout.ts";
import { aliasInForce } from "../../resources/alias-in-force.ts";
import type { ResourceDocument } from "../../resources/document.ts";
import { isOrphaned } from "../../resources/document.ts";

const LATEST = "$LATEST";
const aliasSpec = z.looseObject({
  version: z.coerce.string(),
  rollout: declaredRollout.optional(),
});

/**
 * An alias's row that its owner declares anew. Another version than that in force comes by a rollout, when the owner
 * wants one; at once otherwise. What ran before ends with it.
 */
export function withRollout(
  name: string,
  before: ResourceDocument,
  after: ResourceDocument,
  nowMs: number,
): ResourceDocument {
  const said = aliasSpec.safeParse(after.spec).data;
  const former = aliasSpec.safeParse(before.spec).data;
  // What was declared before is in force, is on its way, or went back: saying it again starts nothing.
  if (said === undefined || (said.version === former?.version && !isOrphaned(before))) return after;
  const { rollout: _former, ...plain } = after;
  const order = said.rollout && orderOf(said.rollout);
  const from = aliasSpec.safeParse(aliasInForce(before)).data?.version;
  const isOpen = from !== undefined && from !== LATEST && said.version !== LATEST && from !== said.version;
  if (order === undefined || !isOpen || isOrphaned(before)) return plain;
  return { ...plain, rollout: newRollout(name, { from, to: said.version }, order, nowMs) };
}

export function newRollout(
  name: string,
  { from, to }: Pick<Rollout, "from" | "to">,
  order: RolloutOrder,
  nowMs: number,
): Rollout {
  const id = rolloutId(`${name} ${from} ${to} ${nowMs}`);
  return { ...order, id, from, to, status: "InProgress", phase: "before", step: 0, startedMs: nowMs };
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const ID_LETTERS = 9;

/** In CodeDeploy's form: `d-A1B2C3D4E`. */
function rolloutId(seed: string): string {
  const digest = createHash("sha256").update(seed).digest();
  const letters = Array.from({ length: ID_LETTERS }, (_, at) => LETTERS[(digest[at] ?? 0) % LETTERS.length]);
  return `d-${letters.join("")}`;
}
