import { flushCompileCache } from "node:module";
import { DEFAULT_SETTINGS, type EngineSettings } from "../../../src/engine/settings.ts";

/**
 * `millrace` as it is, but for its leases: a test that kills many processes, one after the other, waits for the lease
 * of each. Given as the main file of a `MillraceProcess`.
 */
const SHORT: Partial<EngineSettings> = { leaseDurationMs: 2_000, leaseRenewalMs: 200 };

Object.assign(DEFAULT_SETTINGS, SHORT);
await import("../../../src/main.ts");
// Who is killed writes nothing at its end: those after it start faster all the same.
flushCompileCache();
await import("../../../src/bin.ts");
