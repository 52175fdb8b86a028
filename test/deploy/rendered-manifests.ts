import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CONNECTORS } from "../../connectors/registry.ts";
import { loadManifests } from "../../src/manifests/load-manifests.ts";
import { DEFAULT_PLACE } from "../../src/model/place.ts";
import type { KubernetesObject } from "./chart.ts";

/** The problems that millrace finds in the ConfigMap of manifests; none when the manifests are somebody else's. */
export function validateManifests(
  objects: readonly KubernetesObject[],
  connectors: typeof CONNECTORS,
): readonly string[] {
  const map = objects.find(({ kind, data }) => kind === "ConfigMap" && data?.["millrace.yaml"] !== undefined);
  if (map === undefined) return [];
  const folder = mkdtempSync(join(tmpdir(), "millrace-chart-"));
  try {
    for (const [name, text] of Object.entries(map.data ?? {})) writeFileSync(join(folder, name), text);
    const loaded = loadManifests([folder], { connectors, nowMs: Date.now(), place: DEFAULT_PLACE });
    return loaded.kind === "valid" ? [] : loaded.problems.map(({ message }) => message);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
