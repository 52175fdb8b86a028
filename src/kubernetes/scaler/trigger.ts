import { MillraceError } from "../../model/errors.ts";

/** What is scaled, and by how much: the metadata of a trigger of KEDA. */
export interface Trigger {
  /** Pods of one function; `undefined`: of the engine. */
  readonly functionName: string | undefined;
  /** What one pod is thought to be enough for. */
  readonly elementsPerReplica: number;
  readonly partsPerReplica: number;
  readonly callsPerReplica: number;
  /** How long nothing is to be seen before zero. */
  readonly quietMs: number;
  /** So long before a tick there is somebody to enqueue it. */
  readonly leadMs: number;
}

/** What KEDA itself reads of a trigger, and passes on. */
const OF_KEDA = new Set(["scaleraddress", "enabletls", "unsafessl", "tlscertfile"]);
const FUNCTION = /^[A-Za-z0-9_-]{1,64}$/;

const NUMBERS = {
  elementsPerReplica: { least: 1, most: 1_000_000_000, else: 1_000 },
  partsPerReplica: { least: 1, most: 1_000_000, else: 10 },
  callsPerReplica: { least: 1, most: 1_000_000, else: 1 },
  // A process that is asked speaks every two seconds, and is waited for; sources may count to within a minute.
  quietSeconds: { least: 20, most: 86_400, else: 60 },
  leadSeconds: { least: 0, most: 86_400, else: 30 },
} as const;
type NumberName = keyof typeof NUMBERS;

const NAMES = ["function", ...Object.keys(NUMBERS)];

/** @throws MillraceError ERR_MILLRACE_CONFIG for what cannot be meant */
export function readTrigger(metadata: Readonly<Record<string, string>>): Trigger {
  for (const name of Object.keys(metadata)) {
    if (!NAMES.includes(name) && !OF_KEDA.has(name.toLowerCase()))
      throw refused(`there is no ${JSON.stringify(name.slice(0, 80))}. Give ${NAMES.join(", ")}`);
  }
  const functionName = metadata["function"];
  if (functionName !== undefined && !FUNCTION.test(functionName))
    throw refused(
      `function is ${JSON.stringify(functionName.slice(0, 80))}. Give the name of a function, without version or alias`,
    );
  return {
    functionName,
    elementsPerReplica: numberIn(metadata, "elementsPerReplica"),
    partsPerReplica: numberIn(metadata, "partsPerReplica"),
    callsPerReplica: numberIn(metadata, "callsPerReplica"),
    quietMs: numberIn(metadata, "quietSeconds") * 1_000,
    leadMs: numberIn(metadata, "leadSeconds") * 1_000,
  };
}

function numberIn(metadata: Readonly<Record<string, string>>, name: NumberName): number {
  const { least, most, else: fallback } = NUMBERS[name];
  const text = metadata[name];
  if (text === undefined) return fallback;
  const value = Number(text);
  if (/^\d{1,12}$/.test(text) && value >= least && value <= most) return value;
  const shown = JSON.stringify(text.slice(0, 80));
  throw refused(`${name} is ${shown}. Give a whole number from ${least} to ${most}`);
}

function refused(what: string): MillraceError {
  return new MillraceError("ERR_MILLRACE_CONFIG", `The metadata of the trigger cannot be used: ${what}.`);
}
