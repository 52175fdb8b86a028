import { DEFAULT_PLACE, type Place } from "../model/place.ts";
import type { CliHost, Flags } from "./command.ts";
import { lastValue, usageError } from "./parse-flags.ts";

const REGION_VARIABLE = "AWS_REGION";
const ACCOUNT_VARIABLE = "AWS_ACCOUNT_ID";

export const PLACE_FLAGS = {
  region: {
    value: "REGION",
    description:
      "Region in the ARNs of functions and mappings, wherever they are shown: answers of the API, failure records, functions' context. " +
      `Default: ${REGION_VARIABLE}, else ${DEFAULT_PLACE.region}.`,
  },
  account: {
    value: "ACCOUNT",
    description: `Account in the same ARNs, of 12 digits. Default: ${ACCOUNT_VARIABLE}, else ${DEFAULT_PLACE.account}.`,
  },
} as const;

/** @throws MillraceError ERR_MILLRACE_CONFIG */
export function readPlace(flags: Flags, { environment }: Pick<CliHost, "environment">): Place {
  const region = given(lastValue(flags, "region"), "--region", environment[REGION_VARIABLE], REGION_VARIABLE);
  if (region !== undefined && !/^[a-z][a-z0-9-]{0,62}$/.test(region.text)) {
    throw usageError(`${region.name} is ${shown(region.text)}. Give a region such as eu-west-1.`);
  }
  const account = given(
    lastValue(flags, "account"),
    "--account",
    environment[ACCOUNT_VARIABLE],
    ACCOUNT_VARIABLE,
  );
  if (account !== undefined && !/^\d{12}$/.test(account.text)) {
    throw usageError(`${account.name} is ${shown(account.text)}. Give the 12 digits of an account.`);
  }
  return {
    region: region?.text ?? DEFAULT_PLACE.region,
    account: account?.text ?? DEFAULT_PLACE.account,
  };
}

/** What was written, and where, so that a message can name it. An empty variable counts as none. */
function given(flag: string | undefined, flagName: string, variable: string | undefined, name: string) {
  if (flag !== undefined) return { text: flag, name: flagName };
  const text = variable?.trim() ?? "";
  return text === "" ? undefined : { text, name };
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
