import type { Destination } from "./destination.ts";

/**
 * A kind of failure destination that the operator brings (`connectors/registry.ts`). Reading is a pure function of its
 * arguments, and never throws.
 */
export interface DestinationKind {
  /** How a person writes it: `scheme:PLACE`. No two kinds read the same text. */
  readonly form: string;
  readonly description: string;
  /** `undefined`: the text is of another kind. `folder`: absolute; what relative paths start from. */
  read(text: string, folder: string): DestinationPlace | DestinationProblem | undefined;
  /** @throws MillraceError. `uri` is that of a place that it has read. */
  open(uri: string): Promise<Destination>;
}

export interface DestinationPlace {
  readonly kind: "place";
  /** Its one spelling: mappings with the same share the destination. */
  readonly uri: string;
}

export interface DestinationProblem {
  readonly kind: "problem";
  readonly problem: string;
}
