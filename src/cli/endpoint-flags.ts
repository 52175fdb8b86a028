import { resolve } from "node:path";
import type { Connector, SourceEndpoints } from "../ports/connector.ts";
import type { Flags } from "./command.ts";
import { usageError } from "./parse-flags.ts";

export const ENDPOINT_FLAG = {
  value: "NAME=VALUE",
  isRepeatable: true,
  description:
    "Where the sources of mappings are that the API or a template makes and that an ARN alone does not find, such as LOCAL_FILE=orders.db. May be repeated.",
} as const;

/**
 * `--endpoint NAME=VALUE`: by the names that connectors define, paths (names in `_FILE`) made absolute.
 * @throws MillraceError ERR_MILLRACE_CONFIG
 */
export function readEndpoints(flags: Flags, connectors: readonly Connector[]): SourceEndpoints {
  const known = new Set(connectors.flatMap(({ endpointNames }) => endpointNames));
  const endpoints = new Map<string, string[]>();
  for (const text of flags.get("endpoint") ?? []) {
    const [name = "", ...rest] = text.split("=");
    const value = rest.join("=");
    if (!known.has(name) || value === "") {
      const names = [...known].map((each) => `${each}=VALUE`).join(" or ");
      throw usageError(`--endpoint is ${JSON.stringify(text.slice(0, 200))}. Give ${names}.`);
    }
    const values = endpoints.get(name) ?? [];
    endpoints.set(name, [...values, name.endsWith("_FILE") ? resolve(value) : value]);
  }
  return Object.fromEntries(endpoints);
}
