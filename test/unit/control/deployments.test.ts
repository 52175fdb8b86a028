import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Adapters } from "../../../src/cli/adapters.ts";
import { Deployments } from "../../../src/control/deployments.ts";
import { FunctionBook } from "../../../src/control/function-book.ts";
import { InvokerBook } from "../../../src/invocation/invoker-book.ts";
import { loadManifests, type Manifests } from "../../../src/manifests/load-manifests.ts";
import type { FunctionResource } from "../../../src/manifests/resources.ts";
import { hasErrorCode, MillraceError } from "../../../src/model/errors.ts";
import { DEFAULT_PLACE } from "../../../src/model/place.ts";
import type { Connector, QueueConnector } from "../../../src/ports/connector.ts";
import type { Destination } from "../../../src/ports/destination.ts";
import type { FunctionTarget } from "../../../src/ports/function-target.ts";
import type { QueueSource } from "../../../src/ports/queue-source.ts";
import type { StreamSource } from "../../../src/ports/stream-source.ts";
import { ADAPTERS } from "../cli/captured-host.ts";
import { SILENT_TELEMETRY } from "../engine/stream/small-world.ts";
import { createManualClock } from "../functions/manual-clock.ts";
import {
  FUNCTION,
  folderWith,
  LOCAL,
  SQS,
  withMapping,
  withQueueMapping,
} from "../manifests/manifest-samples.ts";

const FAILED = "file:/tmp/failed.jsonl";

/** Adapters that say what is opened and closed; `failing` are those that cannot be opened. */
function createWorld(failing: readonly string[] = []) {
  const log: string[] = [];
  const open = async <A>(name: string): Promise<A> => {
    if (failing.includes(name))
      throw new MillraceError("ERR_MILLRACE_SOURCE_NOT_FOUND", `${name} is missing.`);
    log.push(`open ${name}`);
    return { close: async () => void log.push(`close ${name}`) } as A;
  };
  const connector: Connector = {
    ...LOCAL,
    openStream: ({ name }) => open<StreamSource>(`source of ${name}`),
  };
  const adapters: Adapters = {
    ...ADAPTERS,
    openFunction: ({ name }) => open<FunctionTarget>(`function ${name}`),
    openDestination: ({ uri }) => open<Destination>(`destination ${uri}`),
  };
  return { log, connector, adapters };
}

function manifestsOf(t: TestContext, connector: Connector, ...texts: string[]): Manifests {
  const folder = folderWith(t, { "m.yaml": [FUNCTION, ...texts].join("---\n") });
  const loaded = loadManifests([join(folder, "m.yaml")], {
    connectors: [connector],
    nowMs: 0,
    place: DEFAULT_PLACE,
  });
  return loaded.kind === "valid" ? loaded.manifests : assert.fail(JSON.stringify(loaded.problems));
}

function mapping(name: string, lines = ""): string {
  const text = withMapping(`${lines}\n  destinationConfig: { onFailure: { destination: "${FAILED}" } }`);
  return text
    .slice(FUNCTION.length + "---\n".length)
    .replace("name: orders-stream", `name: ${name}`)
    .replace("stream/orders", `stream/${name}`);
}

/** Opens all mappings that are enabled. */
async function openEnabled(manifests: Manifests, adapters: Adapters) {
  const deployments = deploymentsOf(manifests, adapters);
  const enabled = manifests.mappings.filter(({ mapping }) => mapping.enabled);
  const mappings = await deployments.openAll(enabled);
  return { deployments, mappings: mappings.map(({ deployment }) => deployment), opened: mappings };
}

function deploymentsOf({ functions }: Manifests, adapters: Adapters): Deployments {
  const telemetry = SILENT_TELEMETRY;
  const clock = createManualClock();
  const openFunction = (resource: FunctionResource) =>
    adapters.openFunction(resource, { log: { line: () => undefined } });
  const invokers = new InvokerBook(clock, telemetry);
  return new Deployments(new FunctionBook({ functions, openFunction, invokers, clock, telemetry }), adapters);
}

test("opens what the enabled mappings need, a shared function and destination once, and closes all of it", async (t) => {
  const { log, connector, adapters } = createWorld();
  const manifests = manifestsOf(t, connector, mapping("a"), mapping("b"), mapping("c", "  enabled: false"));
  const { deployments, mappings } = await openEnabled(manifests, adapters);
  const names = ["destination file:/tmp/failed.jsonl", "function orders", "source of a", "source of b"];
  assert.deepEqual(
    log.toSorted(),
    names.map((name) => `open ${name}`),
  );
  assert.deepEqual(
    mappings.map((deployment) => deployment.mapping.name),
    ["a", "b"],
  );
  assert.equal(mappings[0]?.fn, mappings[1]?.fn);
  log.length = 0;
  assert.deepEqual(await deployments.close(), []);
  assert.deepEqual(
    log.toSorted(),
    names.map((name) => `close ${name}`),
  );
});

test("names everything that could not be opened, and closes what was", async (t) => {
  const { log, connector, adapters } = createWorld(["source of a", "function orders"]);
  const manifests = manifestsOf(t, connector, mapping("a"), mapping("b"));
  const deployments = deploymentsOf(manifests, adapters);
  await assert.rejects(deployments.openAll(manifests.mappings), (error) => {
    assert(hasErrorCode(error, "ERR_MILLRACE_SOURCE_NOT_FOUND"));
    assert.deepEqual(error.message.split("\n").toSorted(), [
      "EventSourceMapping a: source of a is missing.",
      "Function orders: function orders is missing.",
    ]);
    return true;
  });
  await deployments.close();
  const opened = log.filter((line) => line.startsWith("open ")).map((line) => line.slice("open ".length));
  const closed = log.filter((line) => line.startsWith("close ")).map((line) => line.slice("close ".length));
  assert.deepEqual(closed.toSorted(), opened.toSorted());
  assert(opened.includes("source of b"));
});

test("says what could not be closed, and closes the rest", async (t) => {
  const { log, connector, adapters } = createWorld();
  const manifests = manifestsOf(t, connector, mapping("a"));
  const stuck = { close: () => Promise.reject(new Error("stuck")) } as FunctionTarget;
  const { deployments } = await openEnabled(manifests, { ...adapters, openFunction: async () => stuck });
  assert.deepEqual(await deployments.close(), ["Function orders: stuck"]);
  assert(log.includes("close source of a"));
});

/** A world with a queue whose visibility time-out is as long as given; its function has the default 3 s. */
function createQueueWorld(visibilityMs: number) {
  const world = createWorld();
  const connector: QueueConnector = {
    ...SQS,
    async openQueue({ name }) {
      world.log.push(`open queue of ${name}`);
      const source = { description: { visibilityMs }, close: async () => void world.log.push("close queue") };
      return source as unknown as QueueSource;
    },
  };
  return { ...world, connector };
}

test("opens the queue of a mapping, whose function may take as long as its visibility time-out", async (t) => {
  const { log, connector, adapters } = createQueueWorld(3_000);
  const manifests = manifestsOf(t, connector, withQueueMapping().slice(FUNCTION.length + "---\n".length));
  const { deployments, mappings } = await openEnabled(manifests, adapters);
  assert.deepEqual(
    mappings.map(({ kind, mapping: { name }, fn }) => [kind, name, fn.name]),
    [["queue", "orders-queue", "orders"]],
  );
  await deployments.close();
  assert(log.includes("open queue of orders-queue") && log.includes("close queue"));
});

test("refuses a function that may take longer than its queue's visibility time-out, with AWS's text", async (t) => {
  const { log, connector, adapters } = createQueueWorld(2_000);
  const manifests = manifestsOf(t, connector, withQueueMapping().slice(FUNCTION.length + "---\n".length));
  const deployments = deploymentsOf(manifests, adapters);
  await assert.rejects(deployments.openAll(manifests.mappings), (error) => {
    assert(hasErrorCode(error, "ERR_MILLRACE_CONFIG"));
    const text =
      "EventSourceMapping orders-queue: Queue visibility timeout: 2 seconds is less than Function timeout: 3 seconds. ";
    assert(error.message.startsWith(text), error.message);
    return true;
  });
  assert(log.includes("close queue"));
});
