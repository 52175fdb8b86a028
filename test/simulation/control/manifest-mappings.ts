import { buildMappingSpec } from "../../../src/manifests/mapping-spec.ts";
import type { MappingResource } from "../../../src/manifests/resources.ts";
import { MillraceError } from "../../../src/model/errors.ts";
import { DEFAULT_PLACE } from "../../../src/model/place.ts";
import type { Connector } from "../../../src/ports/connector.ts";
import { functionNamed } from "../../unit/control/control-world.ts";

/** How a mapping of a manifest fares when it is opened, before all is repaired. */
export type Opening = "fine" | "missing" | "hangs" | "thrown";

/** In this order: what works stands behind what does not, so that who waits for the one delays the other. */
const OPENINGS: readonly Opening[] = ["missing", "hangs", "thrown", "fine"];

export const BROKEN_FUNCTION = functionNamed("broken");

export function uuidOf(opening: Opening): string {
  return `00000000-0000-4000-9000-00000000000${OPENINGS.indexOf(opening)}`;
}

export function manifestMappings(connectors: readonly Connector[]): readonly MappingResource[] {
  return OPENINGS.flatMap((opening) => {
    const spec = {
      uuid: uuidOf(opening),
      tags: {},
      functionName: opening === "thrown" ? BROKEN_FUNCTION.name : "orders",
      eventSourceArn: `arn:aws:local:eu-west-1:123456789012:stream/manifest-${opening}`,
      startingPosition: "LATEST",
      endpoints: { LOCAL_FILE: ["orders.db"] },
    };
    return buildMappingSpec(opening, spec, { connectors, place: DEFAULT_PLACE }) ?? [];
  });
}

/** `undefined`: a source of a mapping of the API. */
export function openingOf(eventSourceArn: string): Opening | undefined {
  return OPENINGS.find((opening) => eventSourceArn.endsWith(`stream/manifest-${opening}`));
}

/** As a source that is as `opening` says answers until it is repaired. */
export async function openBroken(opening: Opening): Promise<void> {
  if (opening === "missing")
    throw new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", "There is no such stream.");
  if (opening === "hangs") await new Promise(() => undefined);
}
