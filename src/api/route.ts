import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Role } from "./access-credentials.ts";
import type { TooLargeText } from "./body-reader.ts";
import { parseJsonBody } from "./json-body.ts";
import { ApiFault } from "./wire-fault.ts";

/** What a caller must be allowed to; `public`: health, which says nothing of what runs. */
export type RouteRole = "public" | Role;

declare module "fastify" {
  interface FastifyContextConfig {
    /** A route without one is closed to everybody. */
    role?: RouteRole;
    /** Another role that is enough. */
    orRole?: Role;
    /** What an audit line calls a change. */
    action?: string;
    tooLargeText?: TooLargeText;
  }
}

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly url: string;
  readonly role: RouteRole;
  readonly orRole?: Role;
  readonly action?: string;
  readonly bodyBytesMax?: number;
  /** In the words of the service, for a body beyond it. */
  readonly tooLargeText?: TooLargeText;
  handle(request: FastifyRequest, reply: FastifyReply): Promise<unknown>;
}

export function addRoute(
  app: FastifyInstance,
  { method, url, role, orRole, action, bodyBytesMax, tooLargeText, handle }: Route,
): void {
  app.route({
    method,
    url,
    config: {
      role,
      ...(orRole === undefined ? {} : { orRole }),
      ...(action === undefined ? {} : { action }),
      ...(tooLargeText === undefined ? {} : { tooLargeText }),
    },
    ...(bodyBytesMax === undefined ? {} : { bodyLimit: bodyBytesMax }),
    handler: handle,
  });
}

/** Bytes of the body, which all content types have until a route reads them. */
export function bodyOf(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
}

const JSON_TYPES: readonly string[] = [
  "application/json",
  "application/x-amz-json-1.0",
  "application/x-amz-json-1.1",
];

/** @throws ApiFault, ControlFault */
export function jsonOf(request: FastifyRequest): Readonly<Record<string, unknown>> {
  const [type = ""] = (request.headers["content-type"] ?? "").split(";");
  const name = type.trim().toLowerCase();
  if (name !== "" && !JSON_TYPES.includes(name)) {
    throw new ApiFault(
      "UnsupportedMediaTypeException",
      "The content type of the body is to be application/json.",
    );
  }
  return parseJsonBody(bodyOf(request));
}

/** A parameter of the query, when it is given once. */
export function queryOf(request: FastifyRequest, name: string): string | undefined {
  const value = queryAll(request, name)[0];
  return value === "" ? undefined : value;
}

export function queryAll(request: FastifyRequest, name: string): readonly string[] {
  const query: unknown = request.query;
  if (typeof query !== "object" || query === null || !Object.hasOwn(query, name)) return [];
  const value: unknown = Reflect.get(query, name);
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((each) => typeof each === "string");
}

/** A part of the path, decoded. */
export function paramOf(request: FastifyRequest, name: string): string {
  const params: unknown = request.params;
  const value: unknown =
    typeof params === "object" && params !== null ? Reflect.get(params, name) : undefined;
  return typeof value === "string" ? value : "";
}
