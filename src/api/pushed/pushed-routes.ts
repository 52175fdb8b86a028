import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ControlFault } from "../../control/control-fault.ts";
import type { ControlPlane } from "../../control/control-plane.ts";
import { exactJsonText } from "../../model/exact-json.ts";
import { addRoute, bodyOf, jsonOf, paramOf, queryOf } from "../route.ts";
import { ApiFault } from "../wire-fault.ts";
import { givenEvent, readCloudEvents } from "./cloud-event.ts";
import { s3Record } from "./s3-event.ts";
import type { SignedPush } from "./signed-push.ts";

const BODY_BYTES_MAX = 1024 * 1024;
const RECORDS_MAX = 100;

export interface PushedOptions {
  /** Absent: messages that have a signature in the place of credentials are not taken. */
  readonly signedPush?: SignedPush | undefined;
}

/** Events that others push: answered once they are durable. Where the queue is full 429 has them come again. */
export function addPushedRoutes(
  app: FastifyInstance,
  control: () => ControlPlane,
  { signedPush }: PushedOptions,
): void {
  if (signedPush !== undefined) addSignedRoutes(app, control, signedPush);
  addRoute(app, {
    method: "POST",
    url: "/millrace/v1/s3/:name",
    role: "send",
    bodyBytesMax: BODY_BYTES_MAX,
    async handle(request, reply) {
      const { timed, place } = control();
      const given = recordsIn(jsonOf(request));
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
      const events = readCloudEvents(request.headers, bodyOf(request));
      return accepted(reply, await eventBus.putAll(events.map((event) => givenEvent(event, bus))));
    },
  });
  addRoute(app, {
    method: "POST",
    url: "/millrace/v1/cloudevents/:name",
    role: "send",
    bodyBytesMax: BODY_BYTES_MAX,
    async handle(request, reply) {
      const events = readCloudEvents(request.headers, bodyOf(request)).map(
        (event) => exactJsonText(event) ?? "",
      );
      return accepted(
        reply,
        await control().timed.push(functionOf(control(), request), events, "cloudevents"),
      );
    },
  });
}

/** Messages of SNS: by their signature, and raw ones by the credentials of their sender. */
function addSignedRoutes(app: FastifyInstance, control: () => ControlPlane, signed: SignedPush): void {
  addRoute(app, {
    method: "POST",
    url: "/millrace/v1/sns/:name",
    role: "public",
    bodyBytesMax: BODY_BYTES_MAX,
    async handle(request, reply) {
      const taken = await signed.take(paramOf(request, "name"), request.headers, bodyOf(request));
      if (taken.kind === "refused") return reply.code(taken.status).send({ message: taken.message });
      if (taken.kind === "done") return {};
      const answer = await control().timed.push(functionOf(control(), request), [taken.event], "sns");
      if (answer === "accepted") taken.handedOver();
      return accepted(reply, answer);
    },
  });
  addRoute(app, {
    method: "POST",
    url: "/millrace/v1/sns/:name/raw",
    role: "send",
    bodyBytesMax: BODY_BYTES_MAX,
    async handle(request, reply) {
      const event = signed.bare(request.headers, bodyOf(request));
      return accepted(reply, await control().timed.push(functionOf(control(), request), [event], "sns"));
    },
  });
}

/** What is taken for a notification and is none would be lost behind its 202. @throws ControlFault */
function recordsIn({ Records, Event }: Readonly<Record<string, unknown>>): readonly unknown[] {
  if (Array.isArray(Records)) return Records;
  // What S3 sends once, to see whether anybody is there.
  if (Records === undefined && Event === "s3:TestEvent") return [];
  throw invalid("The body has no list Records: it is no notification.");
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
