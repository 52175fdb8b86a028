import { ApiClient } from "../api-client.ts";
import type { CliHost, Flag, Flags } from "../command.ts";
import { lastValue, usageError } from "../parse-flags.ts";
import { readPlace } from "../place-flags.ts";
import { createApiDesk } from "./api-desk.ts";
import { createFileDesk } from "./file-desk.ts";
import type { SourceDesk, SourceKind } from "./source-desk.ts";

export const FILE_FLAG = {
  file: {
    value: "PATH",
    description:
      "The file of streams and queues, in which a process may work too. Default: what the millrace that runs here says, else .millrace/sources.db.",
  },
} as const satisfies Readonly<Record<string, Flag>>;

/**
 * What is named; else the API of the millrace that runs on this machine, since only it knows where its mappings read;
 * else the file.
 * @throws MillraceError ERR_MILLRACE_CONFIG
 */
export async function openDesk(kind: SourceKind, flags: Flags, host: CliHost): Promise<SourceDesk> {
  const file = lastValue(flags, "file");
  if (file !== undefined && flags.has("api")) throw usageError("Give --api or --file, not both.");
  const client = ApiClient.of(flags, host);
  const usesApi = file === undefined && (flags.has("api") || (await client.isServed()));
  if (usesApi) return createApiDesk(client, kind);
  const { connectors, random } = host.adapters;
  const place = readPlace(flags, host);
  return await createFileDesk(kind, file, { connectors, place, newKey: () => random.uuid() });
}
