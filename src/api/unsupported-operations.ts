import type { FastifyInstance } from "fastify";
import { LAMBDA_OPERATIONS } from "./lambda-operations.ts";
import { remedyOf } from "./operation-remedies.ts";
import { addRoute } from "./route.ts";
import { ApiFault } from "./wire-fault.ts";

/**
 * Lambda's operations that are not served here answer 501 with their names: a tool that calls one says then what is
 * missing, where a bare "not found" would seem to speak of the function that it names. To be added behind all others.
 */
export function addUnsupportedOperations(app: FastifyInstance): void {
  for (const [route, names] of unsupported(app)) {
    const [method, url] = route;
    const isRead = method === "GET";
    addRoute(app, {
      method,
      url,
      role: isRead ? "read" : "write",
      ...(isRead ? {} : { action: names[0] }),
      async handle() {
        const message = `millrace does not serve the operation ${names.join(" or ")} of Lambda's API.`;
        const remedy = remedyOf(names[0]);
        throw new ApiFault(
          "NotImplementedException",
          remedy === undefined ? message : `${message} ${remedy}`,
        );
      },
    });
  }
}

type Method = "GET" | "POST" | "PUT" | "DELETE";
type Named = readonly [name: string, ...others: string[]];

/** Two operations may share a place and differ in their query only. */
function unsupported(app: FastifyInstance): readonly (readonly [readonly [Method, string], Named])[] {
  const found = new Map<string, readonly [readonly [Method, string], Named]>();
  for (const [name, method, path] of LAMBDA_OPERATIONS) {
    let parameters = 0;
    // Served routes call a first parameter by different names: the router compares places, not names.
    const url = path.replaceAll(/\{[A-Za-z]+\+?\}/g, () => `:p${parameters++}`);
    if (!isMethod(method) || isServed(app, method, url)) continue;
    const key = `${method} ${url}`;
    const others = found.get(key)?.[1] ?? [];
    found.set(key, [
      [method, url],
      [name, ...others],
    ]);
  }
  return [...found.values()];
}

function isMethod(method: string): method is Method {
  return ["GET", "POST", "PUT", "DELETE"].includes(method);
}

function isServed(app: FastifyInstance, method: Method, url: string): boolean {
  return app.findRoute({ method, url: url.replaceAll(/:p\d/g, "x") }) !== null;
}
