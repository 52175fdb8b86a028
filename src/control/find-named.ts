import { ControlFault, notFound } from "./control-fault.ts";

interface Named {
  readonly uuid: string;
  readonly name: string;
}

const SHOWN_MAX = 5;

/**
 * By its name or UUID, or by a beginning of either that no other has.
 * @throws ControlFault ResourceNotFoundException, InvalidParameterValueException with those that it may mean
 */
export function findNamed<N extends Named>(wanted: string, mappings: readonly N[]): N {
  const lower = wanted.toLowerCase();
  const exact = mappings.find(({ uuid, name }) => uuid === lower || name === wanted);
  if (exact !== undefined) return exact;
  const near =
    wanted === ""
      ? []
      : mappings.filter(({ uuid, name }) => uuid.startsWith(lower) || name.startsWith(wanted));
  const [first, ...others] = near;
  if (first === undefined) throw notFound();
  if (others.length === 0) return first;
  const names = near.slice(0, SHOWN_MAX).map(({ name }) => name);
  const more = near.length > SHOWN_MAX ? ` and ${near.length - SHOWN_MAX} more` : "";
  const message = `Several mappings begin with ${JSON.stringify(wanted)}: ${names.join(", ")}${more}. Say more of the name.`;
  throw new ControlFault("InvalidParameterValueException", message);
}
