import assert from "node:assert/strict";
import { test } from "node:test";
import { type Import, importsOf, readImports } from "./imports.ts";

/** Parts of the house, by the folder they live in; the first that fits. `*` stands for one folder's name. */
const PARTS = [
  "src/model",
  "src/ports",
  "src/lib",
  "src/aws",
  "src/codecs",
  "src/sqlite",
  "src/network",
  "src/secrets",
  "src/brokers",
  "src/invocation",
  "src/leases",
  "src/engine",
  "src/parking",
  "src/rollouts",
  "src/schedules",
  "src/functions",
  "src/destinations",
  "src/packages",
  "src/stores",
  "src/telemetry",
  "src/system",
  "src/resources",
  "src/manifests",
  "src/sam",
  "src/failures",
  "src/control",
  "src/api",
  "src/ingest",
  "src/front",
  "src/kubernetes",
  "src/page",
  "src/load",
  "src/cli",
  "src/main.ts",
  "src/bin.ts",
  "connectors/registry.ts",
  "connectors/*",
] as const;
type Part = (typeof PARTS)[number];

/** The shared floor of adapters stands on the words and the ports, and on no adapter. */
const FLOOR: readonly Part[] = ["src/model", "src/ports", "src/lib"];
const ADAPTER: readonly Part[] = [
  ...FLOOR,
  "src/aws",
  "src/codecs",
  "src/sqlite",
  "src/network",
  "src/secrets",
  "src/brokers",
];

/** Who may import whom (docs/architecture.md). Everyone may import from their own folder. */
const ALLOWED: Readonly<Record<Part, readonly Part[] | "everything">> = {
  "src/model": [],
  "src/ports": ["src/model"],
  "src/lib": ["src/model", "src/ports"],
  // Its clients send over the connections of the floor below.
  "src/aws": [...FLOOR, "src/network"],
  "src/codecs": FLOOR,
  "src/sqlite": FLOOR,
  "src/network": FLOOR,
  "src/secrets": FLOOR,
  // Reads logins, too.
  "src/brokers": [...FLOOR, "src/secrets"],
  "src/invocation": ["src/model", "src/ports", "src/lib"],
  "src/leases": ["src/model", "src/ports", "src/lib"],
  "src/engine": ["src/model", "src/ports", "src/lib", "src/invocation", "src/leases"],
  "src/parking": ["src/model", "src/ports", "src/lib", "src/invocation", "src/leases", "src/engine"],
  "src/schedules": ["src/model", "src/ports", "src/lib"],
  "src/rollouts": ["src/model", "src/ports", "src/lib"],
  "src/functions": ADAPTER,
  "src/destinations": ADAPTER,
  "src/packages": ADAPTER,
  "src/stores": ADAPTER,
  "src/telemetry": ADAPTER,
  "src/system": ADAPTER,
  "connectors/*": ADAPTER,
  "connectors/registry.ts": ["src/ports", "connectors/*"],
  "src/resources": ["src/model", "src/ports", "src/lib"],
  "src/manifests": ["src/model", "src/ports", "src/lib", "src/secrets", "src/engine", "src/schedules"],
  // What a template says, as manifests; what AWS calls its resources is of the floor.
  "src/sam": ["src/model", "src/ports", "src/lib", "src/aws", "src/manifests"],
  "src/failures": ["src/model", "src/ports", "src/lib"],
  "src/control": [
    "src/model",
    "src/ports",
    "src/lib",
    "src/failures",
    "src/invocation",
    "src/schedules",
    "src/engine",
    "src/rollouts",
    "src/manifests",
    "src/resources",
  ],
  "src/api": [
    "src/model",
    "src/ports",
    "src/lib",
    "src/engine",
    "src/manifests",
    "src/resources",
    "src/failures",
    "src/secrets",
    "src/control",
  ],
  // Its guards: who calls, how much they may hold, and which addresses a message may name.
  "src/ingest": ["src/model", "src/ports", "src/lib", "src/aws", "src/network", "src/control", "src/api"],
  // As the rooms of requests: its guards of the API, the door of the control plane.
  "src/front": ["src/model", "src/ports", "src/lib", "src/manifests", "src/control", "src/api"],
  // Custom resources are manifests that come one by one; its client of the API server is its own.
  "src/kubernetes": ["src/model", "src/ports", "src/lib", "src/manifests", "src/control"],
  // What browsers read: only the types of its packages come by imports of TypeScript.
  "src/page": [],
  "src/load": ["src/model", "src/ports", "src/lib", "src/manifests"],
  "src/cli": [
    "src/model",
    "src/ports",
    "src/lib",
    "src/parking",
    "src/failures",
    "src/invocation",
    "src/network",
    "src/secrets",
    "src/engine",
    "src/manifests",
    "src/sam",
    "src/resources",
    "src/control",
    "src/load",
  ],
  "src/main.ts": "everything",
  // What is to be done before anything is loaded.
  "src/bin.ts": ["src/main.ts", "src/system"],
};

/** What others may see of the engine. */
const ENGINE_FACE = /^src\/engine\/(engine\.ts|create-engine\.ts|settings\.ts|parked-batch\.ts|filter\/)/;
const INSIDE: readonly Part[] = [
  "src/model",
  "src/ports",
  "src/lib",
  "src/invocation",
  "src/leases",
  "src/engine",
  "src/parking",
  "src/schedules",
  "src/rollouts",
];
/** Croner knows the calendar; it is given no callback, so that it does no I/O and asks no clock. */
const CALENDAR = { file: "src/schedules/cron-pattern.ts", target: "npm:croner" } as const;

function breaches(imports: readonly Import[]): string[] {
  return imports.flatMap(({ from, target }) => {
    const reason = breachOf(from, target);
    return reason === undefined ? [] : [`${from} imports ${target}: ${reason}`];
  });
}

function breachOf(from: string, target: string): string | undefined {
  const part = partOf(from);
  if (part === undefined) return "it lives in no part of the house";
  if (target.startsWith("npm:") || target.startsWith("node:")) return packageBreach(part, from, target);
  const targetPart = partOf(target);
  if (targetPart === undefined) return "nothing outside of the house is imported";
  if (ownFolder(from, part) === ownFolder(target, targetPart)) return undefined;
  const allowed = ALLOWED[part];
  if (allowed === "everything") return undefined;
  if (!allowed.includes(targetPart)) return `${part} may import ${allowed.join(", ") || "nothing"} only`;
  const isEngineInside = targetPart === "src/engine" && !ENGINE_FACE.test(target);
  return isEngineInside ? "only the engine's public face may be imported" : undefined;
}

function packageBreach(part: Part, from: string, target: string): string | undefined {
  if (from === CALENDAR.file && target === CALENDAR.target) return undefined;
  return INSIDE.includes(part) ? "the engine does no I/O and has no packages" : undefined;
}

function partOf(file: string): Part | undefined {
  return PARTS.find((part) => {
    if (part.endsWith("/*")) return file.startsWith(part.slice(0, -1)) && file.split("/").length > 2;
    return file === part || file.startsWith(`${part}/`);
  });
}

/** `connectors/kinesis` and `connectors/sqs` are one part and two folders: connectors do not import each other. */
function ownFolder(file: string, part: Part): string {
  return part === "connectors/*" ? file.split("/").slice(0, 2).join("/") : part;
}

test("everyone imports only whom they may", () => {
  const imports = [...readImports("src"), ...readImports("connectors")];
  assert(imports.length > 100, "the scanner finds imports");
  assert.deepEqual(breaches(imports), []);
});

test("a breach is found", () => {
  const planted: readonly (readonly [from: string, code: string, isBreach: boolean])[] = [
    ["src/engine/stream/a.ts", 'import { pino } from "pino";', true],
    ["src/engine/stream/a.ts", 'import { setTimeout } from "node:timers/promises";', true],
    ["src/engine/stream/a.ts", 'import PQueue from "p-queue";', true],
    ["src/engine/stream/a.ts", 'import { x } from "../../stores/memory.ts";', true],
    ["src/engine/stream/a.ts", 'import {\n  x,\n} from "../../ports/clock.ts";', false],
    ["src/model/a.ts", 'import type { X } from "../ports/clock.ts";', true],
    ["src/stores/a.ts", 'export * from "../engine/engine.ts";', true],
    ["src/stores/a.ts", 'const x = await import("../functions/http.ts");', true],
    ["src/stores/a.ts", 'import { callAws } from "../aws/call.ts";', false],
    ["connectors/kinesis/a.ts", 'import { callAws } from "../../src/aws/call.ts";', false],
    ["src/engine/a.ts", 'import { callAws } from "../aws/call.ts";', true],
    ["src/control/a.ts", 'import { callAws } from "../aws/call.ts";', true],
    ["src/aws/a.ts", 'import { x } from "../stores/memory.ts";', true],
    ["src/functions/a.ts", 'const worker = new URL("../stores/memory.ts", import.meta.url);', true],
    ["src/cli/a.ts", 'import "../engine/supervisor.ts";', true],
    ["src/cli/a.ts", 'import { createEngine } from "../engine/create-engine.ts";', false],
    ["src/cli/a.ts", 'import { openSqliteStore } from "../stores/sqlite.ts";', true],
    ["src/main.ts", 'import { openSqliteStore } from "./stores/sqlite.ts";', false],
    ["src/bin.ts", 'import { openSqliteStore } from "./stores/sqlite.ts";', true],
    ["src/leases/a.ts", 'import { x } from "../engine/settings.ts";', true],
    ["src/schedules/a.ts", 'import { Cron } from "croner";', true],
    ["src/schedules/cron-pattern.ts", 'import { Cron } from "croner";', false],
    ["src/schedules/cron-pattern.ts", 'import { pino } from "pino";', true],
    ["src/leases/a.ts", 'import { x } from "../invocation/invoker-book.ts";', true],
    ["src/engine/queue/a.ts", 'import { LeaseHolder } from "../../leases/lease-holder.ts";', false],
    ["src/elsewhere/a.ts", 'import { x } from "../model/limits.ts";', true],
    ["src/cli/a.ts", 'import { x } from "../../test/fixtures/x.ts";', true],
    ["connectors/kinesis/a.ts", 'import { x } from "../local/event.ts";', true],
    ["connectors/kinesis/a.ts", 'import { x } from "./event.ts";', false],
    ["connectors/kinesis/a.ts", 'import { x } from "../../src/model/limits.ts";', false],
    ["connectors/kinesis/a.ts", 'import { x } from "../registry.ts";', true],
    ["connectors/registry.ts", 'import { x } from "./kinesis/connector.ts";', false],
    ["src/engine/a.ts", 'import { x } from "../sqlite/transaction.ts";', true],
    ["connectors/kafka/a.ts", 'import { undoLz4 } from "../../src/codecs/lz4.ts";', false],
    ["src/codecs/a.ts", 'import { x } from "../../connectors/kafka/bytes.ts";', true],
    ["src/engine/a.ts", 'import { undoLz4 } from "../codecs/lz4.ts";', true],
    ["src/sqlite/a.ts", 'import { x } from "../stores/sqlite.ts";', true],
    ["src/stores/a.ts", 'import { x } from "../sqlite/transaction.ts";', false],
    ["src/engine/a.ts", '// import { pino } from "pino";\n/* import "pino" */', false],
  ];
  for (const [from, code, isBreach] of planted) {
    assert.equal(breaches(importsOf(from, code)).length, isBreach ? 1 : 0, `${from}: ${code}`);
  }
});
