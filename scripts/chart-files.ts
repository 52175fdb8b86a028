/** Copies the alerts and the dashboard into the chart, which can hold only files of its own: `npm run settings`. */
import { copyFileSync } from "node:fs";

const ROOT = new URL("../", import.meta.url);

for (const [from, to] of [
  ["deploy/prometheus/alerts.yaml", "helm/millrace/files/alerts.yaml"],
  ["deploy/grafana/millrace.json", "helm/millrace/files/dashboard.json"],
] as const) {
  copyFileSync(new URL(from, ROOT), new URL(to, ROOT));
}
