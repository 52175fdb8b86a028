import type { ManifestDocument } from "./manifest-document.ts";

/** `provisionedPollerConfig`: no more at least than at most, defaults of the source counted (queues §2.4, kafka §7). */
export function checkPollerOrder(
  document: ManifestDocument,
  defaults: { readonly minimum: number; readonly maximum: number },
): void {
  const path = ["spec", "provisionedPollerConfig"];
  const minimum = document.raw(...path, "minimumPollers");
  const maximum = document.raw(...path, "maximumPollers");
  if (minimum === undefined && maximum === undefined) return;
  const most = maximum ?? defaults.maximum;
  const least = minimum ?? defaults.minimum;
  if (typeof most !== "number" || typeof least !== "number" || least <= most) return;
  const message = `There cannot be at least ${least} and at most ${most} pollers`;
  document.report(path, message, "Give a maximumPollers that is not below minimumPollers", "key");
}
