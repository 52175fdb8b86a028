import type { ReportFault, WrittenMapping } from "../ports/connector-parameters.ts";

/** `provisionedPollerConfig`: no more at least than at most, defaults of the source counted (queues §2.4, kafka §7). */
export function checkPollerOrder(
  mapping: WrittenMapping,
  defaults: { readonly minimum: number; readonly maximum: number },
  report: ReportFault,
): void {
  const path = ["provisionedPollerConfig"];
  const minimum = mapping.raw(...path, "minimumPollers");
  const maximum = mapping.raw(...path, "maximumPollers");
  if (minimum === undefined && maximum === undefined) return;
  const most = maximum ?? defaults.maximum;
  const least = minimum ?? defaults.minimum;
  if (typeof most !== "number" || typeof least !== "number" || least <= most) return;
  report({ rule: "pollerOrder", path, part: "key", facts: { least, most } });
}
