import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ControlFault } from "../control/control-fault.ts";
import { checkRole } from "./access.ts";
import type { Role } from "./access-credentials.ts";
import { knownCaller, noteContentView } from "./guard.ts";
import { addRoute, jsonOf } from "./route.ts";
import { ApiFault, faultStatus } from "./wire-fault.ts";

type Body = Readonly<Record<string, unknown>>;

/** An operation of a service of AWS's that is called by `POST /` and the header X-Amz-Target. */
export interface TargetOperation {
  readonly role: Role;
  /** It changes something: its audit line names it. */
  readonly isChange?: boolean;
  handle(body: Body, request: FastifyRequest): Promise<Body>;
}

/** By the header: `AWSEvents.PutEvents`. */
export type TargetOperations = Readonly<Record<string, TargetOperation>>;

/** Ten events of a little more than a megabyte in all. */
const BODY_BYTES_MAX = 2 * 1024 * 1024;

/** Services that find their operations by a header, each with a table of its own. */
export function addTargetOperations(app: FastifyInstance, ...tables: readonly TargetOperations[]): void {
  const operations = new Map(tables.flatMap((table) => Object.entries(table)));
  addRoute(app, {
    method: "POST",
    url: "/",
    role: "read",
    orRole: "send",
    bodyBytesMax: BODY_BYTES_MAX,
    async handle(request, reply) {
      const target = String(request.headers["x-amz-target"] ?? "");
      try {
        const operation = operations.get(target);
        if (operation === undefined) throw unknown(target);
        checkRole(knownCaller(request), operation.role);
        if (operation.isChange === true) noteContentView(request, target.slice(target.indexOf(".") + 1), {});
        reply.type("application/x-amz-json-1.1");
        return JSON.stringify(await operation.handle(jsonOf(request), request));
      } catch (error) {
        if (error instanceof ControlFault || error instanceof ApiFault) return refuse(reply, error);
        throw error;
      }
    },
  });
}

/** Clients of this protocol read the error's name in the body. */
function refuse(reply: FastifyReply, { fault, message }: ControlFault | ApiFault): string {
  reply.code(faultStatus(fault)).type("application/x-amz-json-1.1").header("x-amzn-errortype", fault);
  return JSON.stringify({ __type: fault, message });
}

function unknown(target: string): ApiFault {
  const message =
    target === ""
      ? "POST / needs the header X-Amz-Target, such as AWSEvents.PutEvents."
      : `millrace does not serve the operation ${target.slice(0, 100)}.`;
  return new ApiFault("NotImplementedException", message);
}
