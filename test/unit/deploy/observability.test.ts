import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { exposedMetrics } from "../telemetry/exposed-metrics.ts";
import { seriesUses } from "./promql.ts";

const ROOT = new URL("../../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), "utf8");

/** What Prometheus, its operator and the rate of a histogram add to the labels of every series. */
const TARGET_LABELS = new Set(["endpoint", "instance", "job", "namespace", "pod", "service"]);

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<"summary" | "description" | "runbook", string>>;
}

const RULES: readonly Rule[] = parse(read("deploy/prometheus/alerts.yaml")).groups.flatMap(
  ({ rules }: { rules: readonly Rule[] }) => rules,
);

/** Why an expression cannot give what it is meant to. */
function faults(expression: string, exposed: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  return seriesUses(expression).flatMap(({ metric, labels }) => {
    const base = metric.replace(/_(?:bucket|sum|count)$/, "");
    const known = exposed.get(metric) ?? exposed.get(base);
    if (known === undefined) return [`there is no metric ${metric}`];
    const isBucket = metric.endsWith("_bucket");
    return labels
      .filter((label) => !known.has(label) && !TARGET_LABELS.has(label) && !(isBucket && label === "le"))
      .map((label) => `${metric} has no label ${label}`);
  });
}

/** Of every panel, and of the variables. */
function dashboardExpressions(): string[] {
  const board = JSON.parse(read("deploy/grafana/millrace.json"));
  const panels: { targets?: { expr: string }[] }[] = board.panels;
  const variables: { query: string }[] = board.templating.list;
  const ofVariables = variables.flatMap(({ query }) => {
    const [, series, label] = /^label_values\((.*), (\w+)\)$/.exec(query) ?? [];
    return series === undefined ? [] : [`sum by (${label}) (${series})`];
  });
  return [...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)), ...ofVariables];
}

/** Of the chart's scaler: a template of text with a `%s` for its labels. */
function scalerExpressions(): string[] {
  const text = read("helm/millrace/templates/scaled-object.yaml");
  const [, labels = ""] = /\$series := printf "(.*)" \.Release/.exec(text) ?? [];
  return [...text.matchAll(/query: \{\{ printf "(.*)" \$series/g)].map(([, query = ""]) =>
    query.replace("%s", labels.replaceAll("%q", '""')),
  );
}

describe("what watches millrace", () => {
  test("asks only for metrics and labels that a process exposes", async () => {
    const exposed = await exposedMetrics();
    const expressions = [...RULES.map(({ expr }) => expr), ...dashboardExpressions(), ...scalerExpressions()];
    assert(expressions.length > 60, `${expressions.length} expressions were found`);
    assert.equal(scalerExpressions().length, 2);
    assert.deepEqual(
      expressions.flatMap((expression) => faults(expression, exposed)),
      [],
    );
  });

  test("is told when a metric or a label is not there", async () => {
    const exposed = await exposedMetrics();
    const wrong = 'sum by (shards) (rate(millrace_lags{mapping="a"}[5m])) > millrace_lag_seconds{shard="b"}';
    assert.deepEqual(faults(wrong, exposed), [
      "there is no metric millrace_lags",
      "millrace_lag_seconds has no label shard",
      "millrace_lag_seconds has no label shards",
    ]);
    assert.deepEqual(
      faults("histogram_quantile(0.9, sum by (le) (millrace_iterator_age_seconds_bucket))", exposed),
      [],
    );
    assert.deepEqual(faults("sum by (le) (millrace_iterator_age_seconds_sum)", exposed), [
      "millrace_iterator_age_seconds_sum has no label le",
    ]);
  });

  test("names no metric that does not exist in the chart, the runbook and the README", async () => {
    const exposed = await exposedMetrics();
    const chart = readdirSync(new URL("helm/millrace/templates/", ROOT)).map(
      (name) => `helm/millrace/templates/${name}`,
    );
    for (const path of [...chart, "helm/millrace/values.yaml", "docs/runbook.md", "README.md"]) {
      for (const [, name = ""] of read(path).matchAll(/\b(millrace_[a-z_]+(?<!_))(?![\w*{])/g)) {
        const base = name.replace(/_(?:bucket|sum|count)$/, "");
        assert(exposed.has(name) || exposed.has(base), `${path} names ${name}`);
      }
    }
  });

  test("says of each alert how bad it is, what it means, and what to do", () => {
    const runbook = read("docs/runbook.md");
    for (const { alert, labels, annotations } of RULES) {
      assert.match(labels.severity, /^(warning|critical)$/, alert);
      assert(annotations.summary.length > 10 && annotations.description.length > 10, alert);
      assert.equal(annotations.runbook, `docs/runbook.md#${alert.toLowerCase()}`);
      assert.match(runbook, new RegExp(`^### ${alert}$`, "m"), alert);
    }
    const sections = [...runbook.matchAll(/^### (\w+)$/gm)].map((match) => match[1]);
    assert.deepEqual(sections.sort(), RULES.map(({ alert }) => alert).sort(), "a section without an alert");
  });

  test("has seen each alert fire and be quiet", () => {
    const tests = read("deploy/prometheus/alerts.test.yaml");
    for (const { alert } of RULES) {
      for (const what of ["fires", "is quiet"])
        assert(tests.includes(`"${alert} ${what}: `), `${alert} ${what}`);
    }
  });

  test("is the same in the chart as in the project: npm run settings copies it", () => {
    assert.equal(read("helm/millrace/files/alerts.yaml"), read("deploy/prometheus/alerts.yaml"));
    assert.equal(read("helm/millrace/files/dashboard.json"), read("deploy/grafana/millrace.json"));
  });
});
