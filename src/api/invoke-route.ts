import type { FastifyInstance, FastifyReply } from "fastify";
import { ControlFault } from "../control/control-fault.ts";
import type { ControlPlane } from "../control/control-plane.ts";
import type { InvocationOutcome } from "../model/outcome.ts";
import type { Clock } from "../ports/clock.ts";
import { functionOf, type NamedFunction } from "./function-routes.ts";
import { noteSubject } from "./guard.ts";
import { addRoute, bodyOf } from "./route.ts";
import { ApiFault } from "./wire-fault.ts";

const PAYLOAD_BYTES_MAX = 6 * 1024 * 1024;

/** Lambda's Invoke, for trying functions out. Its calls are bounded as the function is, beside those of mappings. */
export function addInvokeRoute(
  app: FastifyInstance,
  control: () => ControlPlane,
  clock: Clock,
  requestIds: () => string,
): void {
  const running = new Map<string, number>();
  addRoute(app, {
    method: "POST",
    url: "/2015-03-31/functions/:name/invocations",
    role: "write",
    action: "Invoke",
    bodyBytesMax: PAYLOAD_BYTES_MAX,
    async handle(request, reply) {
      const named = functionOf(request, control());
      noteSubject(request, { function: named.fn.name });
      const payload = payloadOf(bodyOf(request));
      const type = request.headers["x-amz-invocation-type"] ?? "RequestResponse";
      if (type === "DryRun") return reply.code(204).send();
      if (type === "Event") {
        const message =
          "Asynchronous invocation is not supported yet. Use the invocation type RequestResponse.";
        throw new ApiFault("NotImplementedException", message);
      }
      if (type !== "RequestResponse") throw unknownType();
      const { name, concurrency } = named.fn;
      const others = running.get(name) ?? 0;
      if (others >= concurrency) throw rateExceeded();
      running.set(name, others + 1);
      const end = new AbortController();
      // A caller that hangs up ends its call. Of the answer, not of the connection: that one lives on with other calls.
      reply.raw.once("close", () => end.abort());
      try {
        const requestId = requestIds();
        const outcome = await invoke(named, control(), payload, { clock, requestId, signal: end.signal });
        return answer(reply, outcome, named, requestId);
      } finally {
        running.set(name, (running.get(name) ?? 1) - 1);
      }
    },
  });
}

async function invoke(
  { fn, arn }: NamedFunction,
  { deployments }: ControlPlane,
  payload: Uint8Array,
  { clock, requestId, signal }: { clock: Clock; requestId: string; signal: AbortSignal },
): Promise<InvocationOutcome> {
  const { target, timeoutMs } = await deployments.openFunction(fn.name);
  const deadlineMs = clock.now() + timeoutMs;
  const context = { requestId, functionName: fn.name, functionArn: arn, deadlineMs, timeoutMs };
  return target.invoke(payload, context, signal);
}

function answer(
  reply: FastifyReply,
  outcome: InvocationOutcome,
  { fn, version }: NamedFunction,
  requestId: string,
): FastifyReply {
  reply.header("x-amz-executed-version", executedVersionOf(outcome) ?? version ?? "$LATEST");
  reply.type("application/json");
  switch (outcome.kind) {
    case "succeeded":
      return reply.send(outcome.payload.length === 0 ? "null" : Buffer.from(outcome.payload));
    case "functionError":
      return functionError(reply, outcome.errorType, outcome.message);
    case "timedOut": {
      const text = `RequestId: ${requestId} Error: Task timed out after ${(fn.timeoutMs / 1000).toFixed(2)} seconds`;
      return functionError(reply, "Sandbox.Timedout", text);
    }
    case "throttled":
      if (outcome.retryAfterMs !== undefined)
        reply.header("retry-after", Math.ceil(outcome.retryAfterMs / 1000));
      throw rateExceeded();
    case "payloadTooLarge":
      throw new ApiFault("RequestTooLargeException", "The function does not take a payload of this size.");
    case "unavailable":
      throw new ControlFault("ServiceException", "The function cannot be reached.");
  }
}

/** Of a weighted alias only the outcome says which version it was. */
function executedVersionOf(outcome: InvocationOutcome): string | undefined {
  return "executedVersion" in outcome ? outcome.executedVersion : undefined;
}

/** The function ran and failed: the status is 200 (invocation §8). */
function functionError(reply: FastifyReply, errorType: string, errorMessage: string): FastifyReply {
  return reply.header("x-amz-function-error", "Unhandled").send({ errorMessage, errorType });
}

function payloadOf(body: Buffer): Uint8Array {
  if (body.length === 0) return Buffer.from("{}");
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    return body;
  } catch {
    throw new ApiFault("InvalidRequestContentException", "Could not parse request body into json.");
  }
}

function rateExceeded(): ApiFault {
  const message = "Rate Exceeded.";
  return new ApiFault("TooManyRequestsException", message, {
    Error: { Code: "TooManyRequestsException", Message: message },
    Reason: "ReservedFunctionConcurrentInvocationLimitExceeded",
  });
}

function unknownType(): ControlFault {
  const message =
    "1 validation error detected: Value at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]";
  return new ControlFault("ValidationException", message);
}
