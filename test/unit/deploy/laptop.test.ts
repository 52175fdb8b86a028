import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { CONNECTORS } from "../../../connectors/registry.ts";
import { readCredentials } from "../../../src/api/access-credentials.ts";
import { parseFlags } from "../../../src/cli/parse-flags.ts";
import { runCommand } from "../../../src/cli/run.ts";
import { parseStoreUrl } from "../../../src/cli/store-url.ts";
import { loadManifests } from "../../../src/manifests/load-manifests.ts";
import { DEFAULT_PLACE } from "../../../src/model/place.ts";

const DEPLOY = new URL("../../../deploy/", import.meta.url);

interface Service {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, unknown>>;
}

const COMPOSE = parse(readFileSync(new URL("compose.yaml", DEPLOY), "utf8"));
const SERVICES: Readonly<Record<string, Service>> = COMPOSE.services;
const VOLUMES: object = COMPOSE.volumes;

describe("a laptop's set-up", () => {
  test("runs manifests that millrace takes", () => {
    const folder = fileURLToPath(new URL("../examples/laptop/manifests", DEPLOY));
    const loaded = loadManifests([folder], {
      connectors: CONNECTORS,
      nowMs: Date.now(),
      place: DEFAULT_PLACE,
    });
    assert.deepEqual(loaded.kind === "valid" ? [] : loaded.problems, []);
  });

  test("starts millrace with flags that it knows", () => {
    const [command, ...words] = SERVICES["millrace"]?.command ?? [];
    assert.equal(command, "run");
    const flags = parseFlags(runCommand, words);
    assert.equal(parseStoreUrl(flags.get("store")?.[0] ?? "").kind, "postgres");
    const { ports = [], volumes = [] } = SERVICES["millrace"] ?? {};
    for (const flag of ["metrics", "sources-api", "front"]) {
      const port = flags.get(flag)?.[0]?.split(":")[1];
      assert(ports.includes(`127.0.0.1:${port}:${port}`), flag);
    }
    const credentials = volumes.find((each) => each.includes(`:${flags.get("api-credentials")?.[0]}`));
    const path = fileURLToPath(new URL(credentials?.split(":")[0] ?? "", DEPLOY));
    assert.doesNotThrow(() => readCredentials(path, {}));
  });

  test("mounts files that are there, waits for services that are there, and listens on this host only", () => {
    for (const [name, { volumes = [], ports = [], depends_on: others = {} }] of Object.entries(SERVICES)) {
      for (const volume of volumes) {
        const [path = ""] = volume.split(":");
        assert(path in VOLUMES || existsSync(new URL(path, DEPLOY)), `${name}: ${path}`);
      }
      for (const port of ports) assert.match(port, /^127\.0\.0\.1:/, name);
      for (const other of Object.keys(others)) assert(SERVICES[other] !== undefined, `${name}: ${other}`);
    }
  });

  test("takes images of one version each", () => {
    for (const [name, { image }] of Object.entries(SERVICES)) {
      if (image !== undefined) assert.match(image, /:[\d.v]+$/, name);
    }
  });
});
