import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ControlFault, validationFault } from "../control/control-fault.ts";
import type { ControlPlane } from "../control/control-plane.ts";
import { API_CALLER } from "../model/caller.ts";
import { readClientContext } from "../model/client-context.ts";
import type { Invocation, InvocationResult, RefusalReason } from "../ports/invoker.ts";
import { acceptEvent } from "./event-route.ts";
import { functionNotFound, functionOf, type NamedFunction } from "./function-routes.ts";
import { mayInspect, noteSubject, requestIdOf } from "./guard.ts";
import { carrierOf, lineageOf, payloadOf } from "./invocation-members.ts";
import { type AnsweredCall, answerRun } from "./invoke-answer.ts";
import { addRoute, bodyOf } from "./route.ts";
import { answerStream, StreamedReply } from "./stream-answer.ts";
import { ApiFault } from "./wire-fault.ts";

const PAYLOAD_BYTES_MAX = 6 * 1024 * 1024;
type PlaceReason = Exclude<RefusalReason, "noSuchFunction" | "notReady" | "recursion">;
/** AWS's words (invocation §8). What a function has that reserves nothing is on AWS the account's. */
const REASONS: Readonly<Record<PlaceReason, string>> = {
  reservedConcurrency: "ReservedFunctionConcurrentInvocationLimitExceeded",
  zeroConcurrency: "ReservedFunctionConcurrentInvocationLimitExceeded",
  concurrency: "ConcurrentInvocationLimitExceeded",
  accountConcurrency: "ConcurrentInvocationLimitExceeded",
};
/**
 * Mappings wait for a place, and take each that comes free: without patience a function that is busy with them would
 * refuse every call (decision 0026). AWS's pollers back off, and its Invoke waits for nothing.
 */
const PATIENCE_MS = 250;

/** Lambda's Invoke, and its kin that streams. Their calls and mappings' share the function's concurrency evenly. */
export function addInvokeRoute(app: FastifyInstance, control: () => ControlPlane, now: () => number): void {
  for (const operation of OPERATIONS) addOperation(app, control, now, operation);
}

interface Operation {
  readonly url: string;
  readonly action: string;
  /** Answers a run of the function. */
  readonly send: typeof answerRun;
  /** Takes the response while it is written. */
  sinkOf?(reply: FastifyReply): StreamedReply;
}

const OPERATIONS: readonly Operation[] = [
  { url: "/2015-03-31/functions/:name/invocations", action: "Invoke", send: answerRun },
  {
    url: "/2021-11-15/functions/:name/response-streaming-invocations",
    action: "InvokeWithResponseStream",
    send: answerStream,
    sinkOf: (reply) => new StreamedReply(reply),
  },
];

function addOperation(
  app: FastifyInstance,
  control: () => ControlPlane,
  now: () => number,
  { url, action, send, sinkOf }: Operation,
): void {
  addRoute(app, {
    method: "POST",
    url,
    role: "write",
    action,
    bodyBytesMax: PAYLOAD_BYTES_MAX,
    tooLargeText: (bytes, bytesMax) =>
      `${bytes} byte payload is too large for the RequestResponse invocation type (limit ${bytesMax} bytes)`,
    async handle(request, reply) {
      const named = await functionOf(request, control());
      noteSubject(request, { function: named.fn.name });
      const payload = payloadOf(bodyOf(request));
      const type = request.headers["x-amz-invocation-type"] ?? "RequestResponse";
      if (type === "DryRun") return reply.code(204).send();
      if (type === "Event") {
        const requestId = requestIdOf(request);
        const carrier = carrierOf(request.headers);
        await acceptEvent(control(), { named, requestId, payload, carrier }, now());
        return reply.code(202).send();
      }
      if (type !== "RequestResponse")
        throw notOneOf("invocationType", String(type), "Event, RequestResponse, DryRun");
      const extras = extrasOf(request);
      const end = new AbortController();
      const hangUp = () => end.abort();
      // A caller that hangs up ends its call. Of the answer, not of the connection: that one lives on with other calls.
      reply.raw.once("close", hangUp);
      try {
        // The function, its log and the caller know the call by one id.
        const requestId = requestIdOf(request);
        const sink = sinkOf?.(reply);
        const outcome = await control().door.invoke({
          caller: API_CALLER,
          requestId,
          functionArn: named.arn,
          patienceMs: PATIENCE_MS,
          carrier: carrierOf(request.headers),
          lineage: lineageOf(request.headers),
          payload: () => payload,
          mayStart: () => !end.signal.aborted,
          signal: end.signal,
          sink,
          ...extras,
        });
        const wantsLog = extras.logs === "tail";
        const call = { requestId, wantsLog, mayInspect: mayInspect(request) };
        const executedVersion = executedVersionOf(outcome);
        if (sink?.isOpen === true) return sink.end(outcome, { ...call, fn: named.fn, executedVersion });
        return answer(reply, outcome, named, call, send);
      } finally {
        reply.raw.removeListener("close", hangUp);
      }
    },
  });
}

function answer(
  reply: FastifyReply,
  outcome: InvocationResult,
  named: NamedFunction,
  call: Pick<AnsweredCall, "requestId" | "wantsLog" | "mayInspect">,
  send: typeof answerRun,
): FastifyReply {
  switch (outcome.kind) {
    case "succeeded":
    case "functionError":
    case "timedOut":
      return send(reply, outcome, { ...call, fn: named.fn, executedVersion: executedVersionOf(outcome) });
    case "throttled":
      if (outcome.retryAfterMs !== undefined)
        reply.header("retry-after", Math.ceil(outcome.retryAfterMs / 1000));
      throw rateExceeded("reservedConcurrency");
    case "payloadTooLarge":
      throw new ApiFault("RequestTooLargeException", "The function does not take a payload of this size.");
    case "refused":
      throw refusal(outcome.why, named);
    case "notStarted":
    case "unavailable":
      throw new ControlFault("ServiceException", "The function cannot be reached.");
  }
}

/** The outcome says which version the door took; `$LATEST` goes without saying. */
function executedVersionOf(outcome: InvocationResult): string {
  return ("executedVersion" in outcome ? outcome.executedVersion : undefined) ?? "$LATEST";
}

/** What a synchronous call may ask for beside the function's answer. @throws ApiFault, ControlFault */
function extrasOf({ headers }: FastifyRequest): Pick<Invocation, "logs" | "clientContext"> {
  const logType = headers["x-amz-log-type"] ?? "None";
  if (logType !== "None" && logType !== "Tail") throw notOneOf("logType", String(logType), "Tail, None");
  const clientContext = headers["x-amz-client-context"];
  if (typeof clientContext === "string" && readClientContext(clientContext) === undefined) {
    const message = "Client context must be a valid Base64-encoded JSON object.";
    throw new ApiFault("InvalidRequestContentException", message);
  }
  return {
    ...(logType === "Tail" ? { logs: "tail" as const } : {}),
    ...(typeof clientContext === "string" ? { clientContext } : {}),
  };
}

function refusal(why: RefusalReason, named: NamedFunction): ApiFault | ControlFault {
  switch (why) {
    case "noSuchFunction":
      return functionNotFound(named);
    case "recursion": {
      const message =
        "The function was called in a loop: the chain of its events was cut. Allow it by PutFunctionRecursionConfig.";
      return new ApiFault("RecursiveInvocationException", message);
    }
    case "notReady": {
      const message = `The function ${named.fn.name} cannot be opened. The log of millrace says why.`;
      return new ApiFault("ResourceNotReadyException", message);
    }
    case "zeroConcurrency":
    case "reservedConcurrency":
    case "concurrency":
    case "accountConcurrency":
      return rateExceeded(why);
  }
}

function rateExceeded(why: PlaceReason): ApiFault {
  const message = "Rate Exceeded.";
  return new ApiFault("TooManyRequestsException", message, {
    Error: { Code: "TooManyRequestsException", Message: message },
    Reason: REASONS[why],
  });
}

const SHOWN_CHARS_MAX = 140;

function notOneOf(member: string, value: string, values: string): ControlFault {
  const constraint = `Member must satisfy enum value set: [${values}]`;
  const shown = value.slice(0, SHOWN_CHARS_MAX);
  return validationFault([`Value '${shown}' at '${member}' failed to satisfy constraint: ${constraint}`]);
}
