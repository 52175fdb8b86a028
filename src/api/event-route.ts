import type { FastifyInstance, FastifyReply } from "fastify";
import type { ControlPlane } from "../control/control-plane.ts";
import { FUNCTION_LANE, newAttemptState } from "../model/async-item.ts";
import { ASYNC_PAYLOAD_BYTES_MAX, INVOKE_ASYNC_BYTES_MAX } from "../model/limits.ts";
import { lineageIn } from "../model/lineage.ts";
import type { TraceCarrier } from "../model/trace-context.ts";
import { functionOf, type NamedFunction } from "./function-routes.ts";
import { noteSubject, requestIdOf } from "./guard.ts";
import { carrierOf, payloadOf } from "./invocation-members.ts";
import { addRoute, bodyOf } from "./route.ts";
import { ApiFault } from "./wire-fault.ts";

/** An event that is to be accepted. */
export interface GivenEvent {
  readonly named: NamedFunction;
  /** In all attempts. */
  readonly requestId: string;
  readonly payload: Uint8Array;
  readonly carrier: TraceCarrier;
}

/**
 * Resolves when the event is durable: it is not lost from there on.
 * @throws ApiFault, MillraceError ERR_MILLRACE_STORE_UNAVAILABLE
 */
export async function acceptEvent(
  control: ControlPlane,
  { named, requestId, payload, carrier }: GivenEvent,
  nowMs: number,
  bytesMax = ASYNC_PAYLOAD_BYTES_MAX,
): Promise<void> {
  const book = control.events;
  if (book === undefined) {
    const message =
      "This store keeps no asynchronous events. Run millrace with --async-queue, or with --store sqlite: or postgres:, or use the invocation type RequestResponse.";
    throw new ApiFault("NotImplementedException", message);
  }
  if (payload.length > bytesMax) {
    const message = `${payload.length} byte payload is too large for the Event invocation type (limit ${bytesMax} bytes)`;
    throw new ApiFault("RequestTooLargeException", message);
  }
  const { traceparent, tracestate, xray } = carrier;
  const trace =
    traceparent === undefined && xray === undefined ? {} : { trace: { traceparent, tracestate, xray } };
  const lineage = lineageIn(xray);
  const item = {
    id: requestId,
    kind: "invoke" as const,
    lane: FUNCTION_LANE + named.fn.name,
    qualifier: named.qualifier ?? "",
    body: payload,
    state: { ...newAttemptState(nowMs), ...trace, ...(lineage === undefined ? {} : { lineage }) },
    visibleInMs: 0,
  };
  if ((await book.events.accept([item])) === "accepted") return;
  const message = "Rate Exceeded.";
  throw new ApiFault("TooManyRequestsException", message, {
    Error: { Code: "TooManyRequestsException", Message: message },
    Reason: "EventQueueFull",
  });
}

/** Lambda's InvokeAsync, the older form of Invoke with events. */
export function addInvokeAsyncRoute(
  app: FastifyInstance,
  control: () => ControlPlane,
  now: () => number,
): void {
  addRoute(app, {
    method: "POST",
    url: "/2014-11-13/functions/:name/invoke-async",
    role: "write",
    action: "InvokeAsync",
    bodyBytesMax: ASYNC_PAYLOAD_BYTES_MAX,
    async handle(request, reply: FastifyReply) {
      const named = await functionOf(request, control());
      noteSubject(request, { function: named.fn.name });
      const given = {
        named,
        requestId: requestIdOf(request),
        payload: payloadOf(bodyOf(request)),
        carrier: carrierOf(request.headers),
      };
      await acceptEvent(control(), given, now(), INVOKE_ASYNC_BYTES_MAX);
      return reply.code(202).send({ Status: 202 });
    },
  });
}
