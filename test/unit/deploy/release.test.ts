import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { RESOURCE_KINDS } from "../../../src/manifests/schema.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly permissions: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const { jobs }: { jobs: { package: Job; image: Job } } = parse(read(".github/workflows/release.yml"));

test("the release packs by the checkout's own command and publishes that file with its provenance", () => {
  const runs = jobs.package.steps.flatMap(({ run }) => run ?? []);
  const at = (text: string) => runs.findIndex((run) => run.includes(text));
  assert.ok(at("npm test") >= 0 && at("npm test") < at("npm run package"));
  const publish = runs[at("npm publish")] ?? "";
  assert.match(publish, /\.tgz.*--provenance/);
  assert.ok(at("npm run package") < at("npm publish"));
  assert.equal(jobs.package.permissions["id-token"], "write", "provenance is signed as this workflow");
  for (const run of runs) {
    const script = /^npm run ([\w:]+)/.exec(run)?.[1];
    if (script !== undefined) assert.ok(script in JSON.parse(read("package.json")).scripts, script);
  }
});

test("the release builds the image for amd64 and arm64, with SBOM, provenance and signature", () => {
  const build =
    jobs.image.steps.find(({ uses }) => uses?.startsWith("docker/build-push-action@"))?.with ?? {};
  assert.equal(build["platforms"], "linux/amd64,linux/arm64");
  assert.equal(build["sbom"], true);
  assert.equal(build["provenance"], "mode=max");
  const chart = parse(read("helm/millrace/Chart.yaml"));
  const { version } = JSON.parse(read("package.json"));
  assert.deepEqual([chart.appVersion, chart.version], [version, version]);
  assert.match(String(build["tags"]), /:\$\{\{ steps\.version\.outputs\.version \}\}$/);
  const named = jobs.image.steps.find(({ run }) => run?.startsWith('echo "version='))?.run ?? "";
  assert.match(named, /GITHUB_REF_NAME#v/, "the chart asks for its appVersion, which has no v");
  assert.ok(existsSync(join(ROOT, "Dockerfile")) && build["context"] === ".");
  assert.ok(jobs.image.steps.some(({ run }) => run?.startsWith("cosign sign")));
});

test("a checkout publishes nothing by itself", () => {
  assert.equal(JSON.parse(read("package.json")).private, true);
  assert.match(read(".npmrc"), /^ignore-scripts=true$/m);
});

test("the chart takes manifests of every kind", () => {
  const { properties } = JSON.parse(read("helm/millrace/values.schema.json"));
  const { kind } = properties.manifests.properties.resources.items.properties;
  assert.deepEqual(kind.enum, [...RESOURCE_KINDS]);
});
