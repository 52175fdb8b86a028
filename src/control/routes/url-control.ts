import { functionArn } from "../../manifests/function-name.ts";
import { type RouteResource, routeClaims, routeResource } from "../../manifests/route-resource.ts";
import { routeSpec } from "../../manifests/route-schema.ts";
import type { ResourceDocument } from "../../resources/document.ts";
import { ROUTE_KIND } from "../../resources/kinds.ts";
import { ownerText } from "../../resources/owner.ts";
import { ControlFault } from "../control-fault.ts";
import { changedMeanwhile, conflict, invalid } from "../functions/function-faults.ts";
import type { FunctionWriter } from "../functions/function-writer.ts";
import { type KeptRoute, routesOf } from "./route-rows.ts";

/** Lower-camel fields of a route's spec; `cors` that is empty takes it away. */
export interface GivenUrl {
  readonly authType?: string | undefined;
  readonly invokeMode?: string | undefined;
  readonly cors?: Readonly<Record<string, unknown>> | undefined;
}

/** A function's URL as it is shown. */
export interface UrlView {
  readonly route: RouteResource;
  readonly functionArn: string;
  /** As its owner said it. */
  readonly cors: Readonly<Record<string, unknown>> | undefined;
  readonly createdMs: number;
  readonly lastModifiedMs: number;
}

const TRIES_MAX = 10;

/** What callers of Lambda's API do to URLs of functions, in AWS's words (invocation §13.1). */
export class UrlControl {
  readonly #writer: FunctionWriter;

  constructor(writer: FunctionWriter) {
    this.#writer = writer;
  }

  /** In the order of names. */
  async list(fn: string): Promise<readonly UrlView[]> {
    await this.#checkFunction(fn, undefined, NO_FUNCTION);
    return (await this.#urls())
      .filter(({ route }) => route.functionName === fn)
      .map((kept) => this.#view(kept));
  }

  async get(fn: string, qualifier: string | undefined): Promise<UrlView> {
    return this.#view(await this.#one(fn, qualifier));
  }

  async create(fn: string, qualifier: string | undefined, given: GivenUrl): Promise<UrlView> {
    const { random, clock, onChange } = this.#writer.options;
    await this.#checkFunction(fn, undefined, NO_FUNCTION);
    if ((await this.#find(fn, qualifier)) !== undefined) throw this.#alreadyThere(fn, qualifier);
    await this.#checkFunction(fn, qualifier, NO_FUNCTION);
    const id = random.uuid().replaceAll("-", "");
    const nowMs = clock.now();
    const spec = changedSpec({ functionName: qualifier === undefined ? fn : `${fn}:${qualifier}` }, given);
    const document = {
      spec,
      members: { createdMs: nowMs },
      owner: { kind: "api" as const },
      generation: 1,
      conditions: [],
      lastModifiedMs: nowMs,
    };
    if (!(await this.#writer.insert(ROUTE_KIND, id, document, claimsOf(id, spec))))
      throw this.#alreadyThere(fn, qualifier);
    await onChange();
    return await this.get(fn, qualifier);
  }

  /** Whoever comes between is read again. */
  async update(fn: string, qualifier: string | undefined, given: GivenUrl): Promise<UrlView> {
    const { store, clock, onChange } = this.#writer.options;
    await this.#checkFunction(fn, undefined, NO_FUNCTION);
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      const { row, document } = this.#own(await this.#one(fn, qualifier));
      const next: Omit<ResourceDocument, "form"> = {
        ...document,
        spec: changedSpec(document.spec, given),
        generation: document.generation + 1,
        lastModifiedMs: clock.now(),
      };
      const { uid, kind, name, claims } = row;
      const text = this.#writer.document(next);
      const written = await store.replace({ uid, kind, name, claims, document: text }, row.version);
      if (written.kind !== "written") continue;
      await onChange();
      return await this.get(fn, qualifier);
    }
    throw changedMeanwhile();
  }

  async remove(fn: string, qualifier: string | undefined): Promise<void> {
    await this.#writer.remove(this.#own(await this.#one(fn, qualifier)));
    await this.#writer.options.onChange();
  }

  /** URLs that the API made of a function that goes, too. */
  async removeAll(fn: string): Promise<void> {
    const all = (await this.#urls()).filter(({ route, document }) => {
      return route.functionName === fn && document.owner.kind === "api";
    });
    for (const kept of all) await this.#writer.remove(kept);
  }

  async #one(fn: string, qualifier: string | undefined): Promise<KeptRoute> {
    const kept = await this.#find(fn, qualifier);
    if (kept === undefined) throw new ControlFault("ResourceNotFoundException", NO_URL);
    return kept;
  }

  async #find(fn: string, qualifier: string | undefined): Promise<KeptRoute | undefined> {
    return (await this.#urls()).find(
      ({ route }) => route.functionName === fn && route.qualifier === qualifier,
    );
  }

  /** Routes with a name of their own: those by paths are no URLs of functions. */
  async #urls(): Promise<readonly KeptRoute[]> {
    const { routes } = routesOf(await this.#writer.options.store.list([ROUTE_KIND]));
    return routes.filter(({ route }) => route.path === undefined);
  }

  /** @throws ControlFault when there is no such function, or it has no such alias */
  async #checkFunction(fn: string, alias: string | undefined, text: string): Promise<void> {
    const kept = await this.#writer.kept(fn).catch((error: unknown) => {
      if (error instanceof ControlFault) throw new ControlFault("ResourceNotFoundException", text);
      throw error;
    });
    if (alias === undefined || kept.resource.aliases.has(alias)) return;
    throw new ControlFault("ResourceNotFoundException", text);
  }

  #own(kept: KeptRoute): KeptRoute {
    const { owner } = kept.document;
    if (owner.kind === "api") return kept;
    const { name } = kept.route;
    throw invalid(`The function URL ${name} is declared by ${ownerText(owner)}. Change it there.`);
  }

  #view({ route, document }: KeptRoute): UrlView {
    const { cors } = document.spec;
    const { createdMs } = document.members ?? {};
    return {
      route,
      functionArn: this.#arn(route.functionName, route.qualifier),
      cors: typeof cors === "object" && cors !== null ? { ...cors } : undefined,
      createdMs: typeof createdMs === "number" ? createdMs : document.lastModifiedMs,
      lastModifiedMs: document.lastModifiedMs,
    };
  }

  #arn(name: string, qualifier: string | undefined): string {
    return functionArn({ name, qualifier }, this.#writer.options.place);
  }

  #alreadyThere(fn: string, qualifier: string | undefined): ControlFault {
    const arn = this.#arn(fn, qualifier);
    // With two blanks, as AWS writes it.
    return conflict(
      `Failed to create function url config for [functionArn = ${arn}]. Error message:  FunctionUrlConfig exists for this Lambda function`,
    );
  }
}

const NO_FUNCTION = "Function does not exist";
const NO_URL = "The resource you requested does not exist.";

function changedSpec(before: Readonly<Record<string, unknown>>, given: GivenUrl): Record<string, unknown> {
  const { cors, ...fields } = given;
  const { cors: corsBefore, ...rest } = before;
  const kept = cors === undefined ? corsBefore : Object.keys(cors).length === 0 ? undefined : cors;
  const set = Object.entries(fields).filter(([, value]) => value !== undefined);
  const spec = { ...rest, ...Object.fromEntries(set), ...(kept === undefined ? {} : { cors: kept }) };
  const { error } = routeSpec.safeParse(spec);
  if (error === undefined) return spec;
  const wrong = [...new Set(error.issues.map(({ path }) => path.join(".")))].join(", ");
  throw invalid(`The function URL's settings are not valid: look at ${wrong}.`);
}

function claimsOf(id: string, spec: Readonly<Record<string, unknown>>): readonly string[] {
  const route = routeResource(id, routeSpec.parse(spec));
  return route === undefined ? [] : routeClaims(route);
}
