import type { CallFigures } from "../ports/call-figures.ts";

/** How both versions of a rollout do, within the last minute. */
export interface RolloutFigures {
  /** The new version's calls. */
  readonly figures: CallFigures;
  /** The old one's. */
  readonly former: CallFigures;
  /** Age of the oldest record that mappings of the alias have not settled; `undefined`: they read no stream. */
  readonly iteratorAgeMs: number | undefined;
}

/** `sum` adds calls up; the oldest record of all is the oldest. */
export function figuresTogether(
  all: readonly RolloutFigures[],
  sum: (figures: readonly CallFigures[]) => CallFigures,
): RolloutFigures {
  const ages = all.flatMap(({ iteratorAgeMs }) => iteratorAgeMs ?? []);
  return {
    figures: sum(all.map(({ figures }) => figures)),
    former: sum(all.map(({ former }) => former)),
    iteratorAgeMs: ages.length === 0 ? undefined : Math.max(...ages),
  };
}
