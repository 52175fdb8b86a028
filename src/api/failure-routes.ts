import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ControlPlane } from "../control/control-plane.ts";
import type { FailureBookmark } from "../ports/failure-index.ts";
import { invalid, readFilter } from "./failure-filter.ts";
import { pageShape, shownShape } from "./failure-shape.ts";
import { mayInspect, noteSubject } from "./guard.ts";
import { addRoute, jsonOf, paramOf, queryAll, queryOf } from "./route.ts";

const PAGE_ROWS = 100;
const PAGE_ROWS_MAX = 1_000;

/** What was given up: lists, one failure with its records, and listing anew what destinations hold. */
export function addFailureRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/failures",
    role: "read",
    async handle(request) {
      const plane = control();
      const filter = await readFilter((name) => queryAll(request, name), plane);
      const page = await plane.failures.list(filter, readBookmark(request), readMax(request));
      return pageShape(page, await plane.failures.mappingNames(), mayInspect(request));
    },
  });
  addRoute(app, {
    method: "GET",
    url: "/millrace/v1/failures/:id",
    role: "inspect",
    action: "ShowFailure",
    async handle(request) {
      const plane = control();
      const id = paramOf(request, "id");
      noteSubject(request, { failure: id });
      const named = queryOf(request, "mapping");
      const mapping = named === undefined ? undefined : await plane.mappings.uuidNamed(named);
      const shown = await plane.failures.show(id, mapping, queryOf(request, "decode") === "true");
      return shownShape(shown, await plane.failures.mappingNames());
    },
  });
  addRoute(app, {
    method: "POST",
    url: "/millrace/v1/failures/reindex",
    role: "write",
    action: "ReindexFailures",
    async handle(request) {
      const plane = control();
      return await plane.failures.reindex(await readFilter(membersOf(jsonOf(request)), plane));
    },
  });
}

/** Members of a body as a query has them. */
export function membersOf(body: Readonly<Record<string, unknown>>) {
  return (name: string): readonly string[] => {
    const value = body[name];
    const values: readonly unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
    return values.map((each) => {
      if (typeof each === "string") return each;
      throw invalid(`${name} is to be a text.`);
    });
  };
}

function readBookmark(request: FastifyRequest): FailureBookmark | undefined {
  const text = queryOf(request, "after");
  if (text === undefined) return undefined;
  const [, atMs, id] = /^(\d{1,16})\/(.{1,64})$/.exec(text) ?? [];
  if (atMs === undefined || id === undefined)
    throw invalid("after is no place in the list: give what next said.");
  return { atMs: Number(atMs), id };
}

function readMax(request: FastifyRequest): number {
  const text = queryOf(request, "max");
  if (text === undefined) return PAGE_ROWS;
  const max = Number(text);
  if (Number.isInteger(max) && max > 0 && max <= PAGE_ROWS_MAX) return max;
  throw invalid(`max is to be a whole number from 1 to ${PAGE_ROWS_MAX}.`);
}
