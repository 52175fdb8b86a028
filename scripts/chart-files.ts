/**
 * Copies the alerts and the dashboard into the chart, which can hold only files of its own, and writes the definitions
 * of custom resources there: `npm run settings`.
 */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { CONNECTORS } from "../connectors/registry.ts";
import { customResourcesText } from "../src/manifests/custom-resources.ts";

const ROOT = new URL("../", import.meta.url);

for (const [from, to] of [
  ["deploy/prometheus/alerts.yaml", "helm/millrace/files/alerts.yaml"],
  ["deploy/grafana/millrace.json", "helm/millrace/files/dashboard.json"],
] as const) {
  copyFileSync(new URL(from, ROOT), new URL(to, ROOT));
}

const definitions = new URL("helm/millrace/crds/", ROOT);
mkdirSync(definitions, { recursive: true });
writeFileSync(new URL("millrace.dev.yaml", definitions), customResourcesText(CONNECTORS));
