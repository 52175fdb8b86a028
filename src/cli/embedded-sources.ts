import { attemptMs } from "../control/mapping-pipe.ts";
import type { Manifests } from "../manifests/load-manifests.ts";
import type { MappingResource } from "../manifests/resources.ts";
import type { Telemetry } from "../ports/telemetry.ts";

/** AWS's advice: a message is hidden for six times as long as its function may work on it. */
const HOLD_FACTOR = 6;

/**
 * Makes the sources of these mappings that are a part of this program and not there yet.
 * @throws MillraceError
 */
export async function makeSources({ mappings, functions }: Manifests, log: Telemetry["log"]): Promise<void> {
  for (const resource of mappings) {
    const timeoutMs = attemptMs(resource.mapping, functions);
    const { name } = resource.mapping;
    const isMade = await makeSource(resource, HOLD_FACTOR * timeoutMs);
    if (isMade) log("info", "source made, since it was not there", { mapping: name });
  }
}

/** True: it was made. */
async function makeSource(resource: MappingResource, holdMs: number): Promise<boolean> {
  const { settings } = resource;
  if (resource.kind === "queue") {
    return (await resource.connector.makeSource?.(resource.mapping, settings, holdMs)) ?? false;
  }
  return (await resource.connector.makeSource?.(resource.mapping, settings)) ?? false;
}

/** A command that puts a first record into the source of a mapping; `undefined`: it is no part of this program. */
export function sendCommand(resource: MappingResource, apiUrl: string): string | undefined {
  const { mapping, connector } = resource;
  const { eventSourceArn = "" } = mapping;
  if (connector.makeSource === undefined) return undefined;
  const name = eventSourceArn.slice(eventSourceArn.lastIndexOf("/") + 1);
  const data = `{"id":1,"amount":30}`;
  if (resource.kind === "stream") {
    return `curl -d '{"key":"ada","data":${data}}' ${apiUrl}/millrace/v1/streams/${name}/records`;
  }
  const group = resource.connector.isFifoQueue(eventSourceArn) ? `"group":"ada",` : "";
  return `curl -d '{${group}"body":${data}}' ${apiUrl}/millrace/v1/queues/${name}/messages`;
}
