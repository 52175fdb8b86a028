import type { DeclaredRollout } from "./rollout-schema.ts";
import type { FunctionManifest } from "./schema.ts";

/** Shares of keys, each above 0, go to other versions than its own. */
export interface FunctionAlias {
  readonly version: string;
  readonly weights: ReadonlyMap<string, number>;
  /** Chance says which version gets a call; absent: keys do, where there are any. */
  readonly routing?: "request";
  /** What its keys are dealt out by: the id of its row, which lives as long as it. Only where it has weights. */
  readonly salt?: string;
  /** How a new version is brought in, as it was declared; absent: at once. */
  readonly rollout?: DeclaredRollout;
  /** Goes to what is published of the function whenever it is declared anew; `version` is then what it is now. */
  readonly publish?: true;
}

type AliasFields = NonNullable<FunctionManifest["spec"]["aliases"]>[string];

/** Before anything is published an alias stands for what is declared. */
export function aliasOf({
  version = "$LATEST",
  publish,
  weights,
  routing,
  rollout,
}: AliasFields): FunctionAlias {
  const shares = Object.entries(weights ?? {}).filter(([, weight]) => weight > 0);
  return {
    version: String(version),
    weights: new Map(shares),
    ...(routing === "request" ? { routing } : {}),
    ...(rollout === undefined ? {} : { rollout }),
    ...(publish === true ? { publish } : {}),
  };
}
