import type { FastifyInstance } from "fastify";
import type { Credentials } from "../../src/api/access-credentials.ts";
import { createApp } from "../../src/api/server.ts";
import { checkMappingSpec } from "../../src/manifests/mapping-spec.ts";
import { DEFAULT_PLACE } from "../../src/model/place.ts";
import { SeededRandom } from "../simulation/random.ts";
import { apiOptions } from "../unit/api/api-fixture.ts";
import { ControlWorld } from "../unit/control/control-world.ts";
import { anyRequest, type FuzzRequest } from "./api-requests.ts";

export interface FuzzResult {
  readonly cases: number;
  /** Answers by status, so that a run in which all was refused, or nothing, is seen. */
  readonly statuses: ReadonlyMap<number, number>;
}

/** A world grows: it is made anew after so many cases. */
const CASES_OF_A_WORLD = 2_000;
/** After this a request counts as hanging: the process ends. */
const REQUEST_MS_MAX = 60_000;

/**
 * Sends made-up requests to an API over the real control plane, and looks at each answer: no crash, no 5xx, no change
 * of a prototype, nothing stored that was refused, and what is stored is what a manifest could say.
 * @throws Error that names seed and case.
 */
export async function fuzzApi(
  { cases, seed, credentials }: { cases: number; seed: number; credentials: Credentials },
  onProgress: (cases: number) => void = () => undefined,
): Promise<FuzzResult> {
  const statuses = new Map<number, number>();
  for (let done = 0; done < cases; done += CASES_OF_A_WORLD) {
    const world = await FuzzWorld.start(new SeededRandom(seed + done), credentials);
    for (let index = done; index < Math.min(cases, done + CASES_OF_A_WORLD); index++) {
      const status = await world.step(`seed ${seed}, case ${index}`);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    await world.close();
    onProgress(Math.min(cases, done + CASES_OF_A_WORLD));
  }
  return { cases, statuses };
}

class FuzzWorld {
  readonly #random: SeededRandom;
  readonly #world: ControlWorld;
  readonly #app: FastifyInstance;
  #version = 0;
  #stored: ReadonlyMap<string, string> = new Map();

  private constructor(random: SeededRandom, world: ControlWorld, app: FastifyInstance) {
    this.#random = random;
    this.#world = world;
    this.#app = app;
  }

  static async start(random: SeededRandom, credentials: Credentials): Promise<FuzzWorld> {
    const world = new ControlWorld();
    const { plane } = await world.start("a");
    let nowMs = 0;
    // A second for each look: no caller comes too often.
    const monotonic = () => {
      nowMs += 1_000;
      return nowMs;
    };
    const clock = { ...world.clock, now: () => Date.UTC(2026, 0, 1), monotonic };
    const options = { clock, ...(random.chance(0.8) ? { credentials } : {}) };
    return new FuzzWorld(random, world, createApp(apiOptions(plane, options)));
  }

  async step(name: string): Promise<number> {
    const request = anyRequest(this.#random, [...this.#stored.keys()]);
    const fail = (what: string): never => {
      const { method, url, headers, body } = request;
      const shown = JSON.stringify({
        method,
        url,
        headers,
        body: body.subarray(0, 4_000).toString("latin1"),
      });
      throw new Error(`${name}: ${what}\n${shown}`);
    };
    const { status, body } = await this.#send(request, fail);
    const isUnserved = status === 501 && body.includes("does not serve the operation");
    if (status >= 500 && !isUnserved && !isAsynchronous(request, status)) fail(`answered ${status}: ${body}`);
    if (/\n {4}at |node:internal|\.ts:\d/.test(body)) fail(`shows its inside: ${body}`);
    checkPrototypes(fail);
    await this.#checkStored(status, fail);
    return status;
  }

  async close(): Promise<void> {
    await this.#app.close();
  }

  async #send(request: FuzzRequest, fail: (what: string) => never) {
    const { method, url, headers, body: payload } = request;
    const timer = setTimeout(() => fail("is not answered"), REQUEST_MS_MAX);
    try {
      const response = await this.#app.inject({ method, url, headers, payload });
      return { status: response.statusCode, body: response.body };
    } catch (error) {
      return fail(`failed: ${String(error)}`);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Only what was accepted changes rows, and it changes them to what passes the checks of manifests. */
  async #checkStored(status: number, fail: (what: string) => never): Promise<void> {
    if ((await this.#world.mappings.newestVersion()) === this.#version) return;
    await this.#world.quiet();
    this.#version = await this.#world.mappings.newestVersion();
    const before = this.#stored;
    const rows = await this.#world.mappings.list(["mapping"]);
    this.#stored = new Map(rows.map(({ uid, document }) => [uid, document]));
    const changed = rows.filter(({ uid, document }) => before.get(uid) !== document);
    const isChanged = changed.length > 0 || rows.length < before.size;
    if (isChanged && status >= 300) fail(`was refused with ${status}, and changed ${changed[0]?.document}`);
    for (const { uid: uuid, document } of changed) {
      const { spec } = JSON.parse(document);
      const { connectors } = this.#world;
      const given = { ...spec, endpoints: { LOCAL_FILE: ["/tmp/orders.db"] }, uuid };
      const endpoints = String(spec.eventSourceArn).includes(":local:") ? {} : { endpoints: undefined };
      const whole = Object.fromEntries(
        Object.entries({ ...given, ...endpoints }).filter(([, value]) => value !== undefined),
      );
      const checked = checkMappingSpec(uuid, whole, {
        connectors,
        nowMs: Date.UTC(2026, 0, 1),
        place: DEFAULT_PLACE,
      });
      if (checked.kind === "invalid") fail(`stored ${document}: ${JSON.stringify(checked.faults)}`);
    }
  }
}

/** The one answer of that kind that is meant: asynchronous invocation is not there yet. */
function isAsynchronous({ headers, url }: FuzzRequest, status: number): boolean {
  return status === 501 && headers["x-amz-invocation-type"] === "Event" && url.includes("/invocations");
}

const PROTOTYPES = [Object, Array, Function, String, Number, Map, Promise, Buffer].map(
  ({ prototype }) => prototype,
);
const OWN_NAMES = PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype).length);

function checkPrototypes(fail: (what: string) => never): void {
  for (const name in {}) fail(`polluted Object.prototype with ${name}`);
  PROTOTYPES.forEach((prototype, index) => {
    if (Reflect.ownKeys(prototype).length !== OWN_NAMES[index]) fail("changed a prototype");
  });
}
