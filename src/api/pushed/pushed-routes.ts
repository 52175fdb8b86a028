import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ControlFault } from "../../control/control-fault.ts";
import type { ControlPlane } from "../../control/control-plane.ts";
import { addRoute, bodyOf, jsonOf, paramOf, queryOf } from "../route.ts";
import { ApiFault } from "../wire-fault.ts";
import { givenEvent, readCloudEvents } from "./cloud-event.ts";
import { s3Record } from "./s3-event.ts";

const BODY_BYTES_MAX = 1024 * 1024;
const RECORDS_MAX = 100;

/** Events that others push: answered once they are durable. Where the queue is full 429 has them come again. */
export function addPushedRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "POST",
    url: "/millrace/v1/s3/:name",
    role: "send",
    bodyBytesMax: BODY_BYTES_MAX,
    async handle(request, reply) {
      const { timed, place } = control();
      const { Records } = jsonOf(request);
      const given: readonly unknown[] = Array.isArray(Records) ? Records : [];
      if (given.length > RECORDS_MAX) throw invalid(`A notification has at most ${RECORDS_MAX} records.`);
      const records = given.map((record) => s3Record(record, place.region));
      if (records.includes(undefined)) throw invalid("A record has no eventName, bucket or key.");
      const bodies = records.map((record) => JSON.stringify({ Records: [record] }));
      return accepted(reply, await timed.push(functionOf(control(), request), bodies, "s3"));
    },
  });
  addRoute(app, {
    method: "POST",
    url: "/millrace/v1/cloudevents",
    role: "send",
    bodyBytesMax: BODY_BYTES_MAX,
    async handle(request, reply) {
      const { eventBus } = control().timed;
      const bus = queryOf(request, "bus") ?? "default";
      for (const event of readCloudEvents(request.headers, bodyOf(request))) {
        if ((await eventBus.put(givenEvent(event, bus))) === "full") return accepted(reply, "full");
      }
      return accepted(reply, "accepted");
    },
  });
  addRoute(app, {
    method: "POST",
    url: "/millrace/v1/cloudevents/:name",
    role: "send",
    bodyBytesMax: BODY_BYTES_MAX,
    async handle(request, reply) {
      const events = readCloudEvents(request.headers, bodyOf(request)).map((event) => JSON.stringify(event));
      return accepted(
        reply,
        await control().timed.push(functionOf(control(), request), events, "cloudevents"),
      );
    },
  });
}

/** Its name, with a version or an alias behind a colon. */
function functionOf({ functions }: ControlPlane, request: FastifyRequest): string {
  const name = paramOf(request, "name");
  const [plain] = name.split(":");
  if (functions.some((fn) => fn.name === plain)) return name;
  throw new ControlFault("ResourceNotFoundException", `Function not found: ${name.slice(0, 200)}`);
}

function accepted(reply: FastifyReply, answer: "accepted" | "full"): object {
  if (answer === "full")
    throw new ApiFault("TooManyRequestsException", "The queue of asynchronous events is full. Try again.");
  reply.code(202);
  return {};
}

function invalid(message: string): ControlFault {
  return new ControlFault("InvalidParameterValueException", message);
}
