import type { FastifyInstance, FastifyReply } from "fastify";
import { addRoute, paramOf } from "../route.ts";
import type { PageAccess } from "./page-access.ts";
import { indexHtml, readPageFiles } from "./page-files.ts";

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types lit-html",
].join("; ");

/** The page at `/`: files alone, which say nothing of what runs. What it shows it asks the API for, as its user. */
export function addPageRoutes(app: FastifyInstance, access: PageAccess): void {
  const files = readPageFiles();
  const index = indexHtml(access.token);
  addRoute(app, {
    method: "GET",
    url: "/",
    role: "public",
    async handle(_request, reply) {
      secured(reply).type("text/html; charset=utf-8");
      return index;
    },
  });
  addRoute(app, {
    method: "GET",
    url: "/page/*",
    role: "public",
    async handle(request, reply) {
      const file = files.get(paramOf(request, "*"));
      if (file === undefined) return reply.code(404).send({ message: "The page has no such file." });
      secured(reply).header("cache-control", "no-cache").header("etag", file.tag).type(file.type);
      if (request.headers["if-none-match"] === file.tag) return reply.code(304).send();
      return file.content;
    },
  });
}

function secured(reply: FastifyReply): FastifyReply {
  return reply
    .header("content-security-policy", POLICY)
    .header("referrer-policy", "no-referrer")
    .header("cross-origin-opener-policy", "same-origin")
    .header("cross-origin-resource-policy", "same-origin");
}
