import { unreservedMin } from "../invocation/unreserved-pool.ts";
import type { FunctionResource } from "../manifests/resources.ts";
import { MillraceError } from "../model/errors.ts";
import { ControlFault } from "./control-fault.ts";

type Reserving = Pick<FunctionResource, "name" | "concurrency" | "isReserved">;

/** What these functions reserve together. */
export function reservedBy(functions: readonly Reserving[]): number {
  return functions.reduce((sum, { isReserved, concurrency }) => sum + (isReserved ? concurrency : 0), 0);
}

/**
 * A function may not reserve what has to stay for those that reserve nothing (invocation §8).
 * `functions`: as they are; `account`: absent, there is no such bound.
 * @throws ControlFault in AWS's words.
 */
export function checkReservation(
  functions: readonly Reserving[],
  { name, concurrency }: Pick<Reserving, "name" | "concurrency">,
  account: number | undefined,
): void {
  if (account === undefined) return;
  const others = reservedBy(functions.filter((fn) => fn.name !== name));
  const own = reservedBy(functions.filter((fn) => fn.name === name));
  const least = unreservedMin(account);
  // Who gives back may always.
  if (concurrency <= own || others + concurrency <= account - least) return;
  const message = `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${least}].`;
  throw new ControlFault("InvalidParameterValueException", message);
}

/** The same of manifests. @throws MillraceError ERR_MILLRACE_CONFIG */
export function checkReservations(functions: readonly Reserving[], account: number | undefined): void {
  if (account === undefined) return;
  const reserved = reservedBy(functions);
  const least = unreservedMin(account);
  if (reserved <= account - least) return;
  const message =
    `The functions of the manifests reserve ${reserved} of --account-concurrency ${account}, of which ${least} have to ` +
    "stay for functions that reserve none. Lower reservedConcurrency, or raise --account-concurrency.";
  throw new MillraceError("ERR_MILLRACE_CONFIG", message);
}
