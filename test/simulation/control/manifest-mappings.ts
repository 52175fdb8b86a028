import type { Manifests } from "../../../src/manifests/load-manifests.ts";
import { buildMappingSpec } from "../../../src/manifests/mapping-spec.ts";
import type { MappingResource } from "../../../src/manifests/resources.ts";
import { MillraceError } from "../../../src/model/errors.ts";
import { DEFAULT_PLACE } from "../../../src/model/place.ts";
import type { Connector } from "../../../src/ports/connector.ts";
import { FUNCTIONS, functionNamed } from "../../unit/control/control-world.ts";

/** How a mapping of a manifest fares when it is opened, before all is repaired. */
export type Opening = "fine" | "missing" | "hangs" | "thrown";

/** In this order: what works stands behind what does not, so that who waits for the one delays the other. */
const OPENINGS: readonly Opening[] = ["missing", "hangs", "thrown", "fine"];

export const BROKEN_FUNCTION = functionNamed("broken");

/** One that each content says otherwise, and one that only even contents have. */
export const CHANGING = "00000000-0000-4000-9000-0000000000c0";
export const COMING = "00000000-0000-4000-9000-0000000000c1";

export function uuidOf(opening: Opening): string {
  return `00000000-0000-4000-9000-00000000000${OPENINGS.indexOf(opening)}`;
}

export const MANIFEST_UUIDS: readonly string[] = [...OPENINGS.map(uuidOf), CHANGING, COMING];

/** Contents are told from each other by a number, which stands in a batch size and, restarting nothing, in tags. */
export function manifestsOf(content: number, connectors: readonly Connector[]): Manifests {
  const build = (name: string, fields: object): readonly MappingResource[] => {
    const spec = {
      functionName: "orders",
      eventSourceArn: `arn:aws:local:eu-west-1:123456789012:stream/manifest-${name}`,
      startingPosition: "LATEST",
      endpoints: { LOCAL_FILE: ["orders.db"] },
      tags: { content: `${content}` },
      ...fields,
    };
    return [buildMappingSpec(name, spec, { connectors, place: DEFAULT_PLACE }) ?? []].flat();
  };
  const openings = OPENINGS.flatMap((opening) => {
    const functionName = opening === "thrown" ? BROKEN_FUNCTION.name : "orders";
    return build(opening, { uuid: uuidOf(opening), functionName });
  });
  return {
    functions: [...FUNCTIONS, BROKEN_FUNCTION],
    mappings: [
      ...openings,
      ...build("fine-changing", { uuid: CHANGING, batchSize: content }),
      ...(hasComing(content) ? build("fine-coming", { uuid: COMING }) : []),
    ],
  };
}

export function hasComing(content: number): boolean {
  return content % 2 === 0;
}

/** `undefined`: a source of a mapping of the API. */
export function openingOf(eventSourceArn: string): Opening | undefined {
  return OPENINGS.find((opening) => eventSourceArn.includes(`stream/manifest-${opening}`));
}

/** As a source that is as `opening` says answers until it is repaired. */
export async function openBroken(opening: Opening): Promise<void> {
  if (opening === "missing")
    throw new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", "There is no such stream.");
  if (opening === "hangs") await new Promise(() => undefined);
}
