import { type Rollout, shareOf } from "../model/rollout.ts";
import type { ResourceDocument } from "./document.ts";

/**
 * What an alias means now: what its owner declared, but for what its rollout makes of it. `hasVersion`: an old version
 * that its owner has taken away gets no calls any more.
 */
export function aliasInForce(
  { spec, rollout }: Pick<ResourceDocument, "spec" | "rollout">,
  hasVersion: (version: string) => boolean = () => true,
): AliasSpec {
  const { rollout: _order, ...declared } = spec;
  if (rollout === undefined || rollout.status === "Succeeded" || !hasVersion(rollout.from)) return declared;
  const { weights: _weights, ...rest } = declared;
  const share = shareOf(rollout);
  if (rollout.status === "InProgress") {
    return { ...rest, version: rollout.from, ...(share === 0 ? {} : { weights: { [rollout.to]: share } }) };
  }
  // It went back: so it stays, until its owner declares another version.
  return String(declared["version"]) === rollout.to ? { ...rest, version: rollout.from } : declared;
}

type AliasSpec = Readonly<Record<string, unknown>>;

export function isRunning(rollout: Rollout | undefined): rollout is Rollout {
  return rollout?.status === "InProgress";
}
