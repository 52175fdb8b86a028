import type { MappingStatus } from "../../engine/engine.ts";
import { parseFunctionName } from "../../manifests/function-name.ts";
import type { MappingRunner } from "../mapping-runner.ts";

/**
 * Says by an alias's name (`orders:live`) how old the oldest record of a stream is that this process has not settled
 * for it, milliseconds; `undefined`: none of the mappings that it runs reads a stream for it.
 */
export function iteratorAges(
  status: () => readonly MappingStatus[],
  runner: Pick<MappingRunner, "resourceOf">,
): (name: string) => number | undefined {
  return (name) => {
    const ages = status().flatMap(({ uuid, oldestAgeMs }) => {
      const resource = runner.resourceOf(uuid);
      const target = resource?.kind === "stream" ? parseFunctionName(resource.spec.functionName) : undefined;
      return target !== undefined && `${target.name}:${target.qualifier}` === name ? [oldestAgeMs] : [];
    });
    return ages.length === 0 ? undefined : Math.round(Math.max(...ages));
  };
}
