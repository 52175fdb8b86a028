import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { ApiServerOptions } from "../../../src/api/server.ts";
import { createApp } from "../../../src/api/server.ts";
import type { ControlPlane } from "../../../src/control/control-plane.ts";
import { openPackages } from "../../../src/packages/open-packages.ts";
import { zipOf } from "../../fixtures/zip.ts";
import { ControlWorld } from "../control/control-world.ts";
import { type AuditLine, apiOptions } from "./api-fixture.ts";

export const FUNCTIONS = "/2015-03-31/functions";
export const ROLE = "arn:aws:iam::123456789012:role/lambda-role";
export const ARN = "arn:aws:lambda:eu-west-1:123456789012:function:parcels";

export function zipWith(text: string): Buffer {
  return zipOf([{ name: "index.js", content: text }]);
}

export const CODE = zipWith("exports.handler = async () => 1;");
export const OTHER_CODE = zipWith("exports.handler = async () => 2;");

export function sha256Of(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("base64");
}

/** As AWS's tools send it at the least. */
export const CREATE = {
  FunctionName: "parcels",
  Runtime: "nodejs24.x",
  Role: ROLE,
  Handler: "index.handler",
  Code: { ZipFile: CODE.toString("base64") },
};

export interface Answer {
  readonly status: number;
  readonly fault: unknown;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** A server of Lambda's API over functions, with a clock that stands and packages in a folder. */
export class FunctionApi {
  readonly world: ControlWorld;
  readonly lines: AuditLine[];
  readonly plane: ControlPlane;
  readonly #folder: string;
  readonly #app: ReturnType<typeof createApp>;

  static async start(
    t: TestContext,
    { hasPackages = true, ...options }: Partial<ApiServerOptions> & { readonly hasPackages?: boolean } = {},
  ): Promise<FunctionApi> {
    const folder = mkdtempSync(join(tmpdir(), "millrace-function-api-"));
    const world = new ControlWorld();
    const place = { packages: undefined, store: { kind: "sqlite", path: join(folder, "progress.db") } };
    const packages = await openPackages(place);
    const { plane } = await world.start("a", hasPackages ? { packages } : {});
    const lines: AuditLine[] = [];
    const app = createApp(apiOptions(plane, options, lines));
    t.after(async () => {
      await app.close();
      rmSync(folder, { recursive: true, force: true });
    });
    return new FunctionApi(world, app, folder, lines, plane);
  }

  private constructor(
    world: ControlWorld,
    app: ReturnType<typeof createApp>,
    folder: string,
    lines: AuditLine[],
    plane: ControlPlane,
  ) {
    this.plane = plane;
    this.world = world;
    this.#app = app;
    this.#folder = folder;
    this.lines = lines;
  }

  inject(method: Method, url: string, body?: object, headers: object = {}) {
    return this.#app.inject({
      method,
      url,
      headers: {
        host: "localhost",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      // Bytes are sent as they are.
      ...(body === undefined ? {} : { payload: Buffer.isBuffer(body) ? body : JSON.stringify(body) }),
    });
  }

  async ask(method: Method, url: string, body?: object, headers: object = {}): Promise<Answer> {
    const { statusCode, headers: given, payload } = await this.inject(method, url, body, headers);
    const parsed: unknown = payload === "" ? {} : JSON.parse(payload);
    const answer = typeof parsed === "object" && parsed !== null ? { ...parsed } : { parsed };
    const members: Record<string, unknown> = Object.fromEntries(Object.entries(answer));
    const text = String(members["message"] ?? members["Message"] ?? "");
    return { status: statusCode, fault: given["x-amzn-errortype"], text, body: members };
  }

  create(changes: object = {}): Promise<Answer> {
    return this.ask("POST", FUNCTIONS, { ...CREATE, ...changes });
  }

  /** Waits until all processes have said that they know what was changed. */
  async settle(): Promise<void> {
    await this.world.pass(2_000);
  }

  /** Names of the archives that are kept. */
  get archives(): readonly string[] {
    return readdirSync(join(this.#folder, "packages", "archives")).sort();
  }
}
