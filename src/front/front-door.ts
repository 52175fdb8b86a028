import { setMaxListeners } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Credentials } from "../api/access-credentials.ts";
import { BodyBytes, type HeldBody } from "../api/body-bytes.ts";
import { hostName } from "../api/server-address.ts";
import { firstOf, whenLate } from "../lib/first-of.ts";
import type { Place } from "../model/place.ts";
import type { Clock } from "../ports/clock.ts";
import type { FrontTelemetry } from "../ports/front-telemetry.ts";
import type { InvocationResult, Invoker } from "../ports/invoker.ts";
import { preflightAnswer, withCors } from "./cors.ts";
import {
  type Codec,
  type Exchange,
  type Failure,
  type FrontAnswer,
  type Header,
  jsonAnswer,
} from "./exchange.ts";
import { callOf } from "./front-call.ts";
import type { FrontLimits } from "./front-limits.ts";
import { PaceWatch } from "./pace-watch.ts";
import { NO_ROUTE, type Refusal, refusalOf, STARTING } from "./refusals.ts";
import { hasBody, isWorthClosing, readRequestBody, SLOW, tooBusy } from "./request-body.ts";
import type { RouteTable } from "./route-table.ts";
import { endResponse, sendAnswer, writeHead } from "./send-answer.ts";
import { Signers } from "./signers.ts";
import { StreamedAnswer } from "./streamed-answer.ts";
import { answerAsWritten, failureOf } from "./told-result.ts";
import { exchangeOf, type Way, type WayOptions, wayOf } from "./way.ts";
import { wireFault } from "./wire-request.ts";

export interface FrontDoorOptions extends WayOptions {
  /** Routes as they are now; `undefined`: they are not known yet. */
  readonly table: () => RouteTable | undefined;
  /** `undefined` until functions can be called. */
  readonly invoker: () => Invoker | undefined;
  readonly place: Place;
  /** Whose signatures count; `undefined`: nobody's. */
  readonly credentials: Credentials | undefined;
  readonly limits: FrontLimits;
  readonly clock: Clock;
  readonly requestId: () => string;
  readonly telemetry: FrontTelemetry;
}

/** A request on its way, from its headers to the end of its response. */
interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly startedMs: number;
  /** What it holds of all bytes. */
  readonly held: HeldBody;
  isBodyRead: boolean;
  way: Way | undefined;
}

const LATE = { kind: "late" } as const;
const NO_BYTES: FrontAnswer = {
  status: 200,
  headers: [["content-type", "application/octet-stream"]],
  body: "",
};

/** Hands requests to functions by the one door that all callers have, and their answers back: each once (I44). */
export class FrontDoor {
  readonly #options: FrontDoorOptions;
  readonly #signers: Signers;
  readonly #bytes: BodyBytes;
  readonly #pace: PaceWatch;
  readonly #end = new AbortController();
  #running = 0;
  #isDraining = false;

  constructor(options: FrontDoorOptions) {
    const { limits, clock, credentials } = options;
    this.#options = options;
    this.#signers = new Signers(credentials, clock, limits.signedPerSecondMax);
    this.#bytes = new BodyBytes({ totalMax: limits.bytesMax, unprovenMax: limits.unprovenBytesMax });
    this.#pace = new PaceWatch(clock, limits);
    setMaxListeners(0, this.#end.signal);
  }

  get running(): number {
    return this.#running;
  }

  get bytesHeld(): number {
    return this.#bytes.held;
  }

  /** Connections end with the next response. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Calls that run are given up. */
  close(): void {
    this.#end.abort();
    this.#pace.close();
  }

  /** Answers once, whatever comes. Resolves when nothing more is to be done for it. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const held = this.#bytes.open(true);
    const { clock, requestId } = this.#options;
    const visit: Visit = {
      request,
      response,
      requestId: requestId(),
      startedMs: clock.monotonic(),
      held,
      isBodyRead: false,
      way: undefined,
    };
    this.#running += 1;
    response.once("close", () => {
      held.close();
      this.#running -= 1;
    });
    // One that hangs up is nobody's error.
    request.on("error", () => undefined);
    response.on("error", () => undefined);
    try {
      await this.#answer(visit);
    } catch (error) {
      if (error !== SLOW && request.errored !== SLOW)
        return this.#refuse(visit, refusalOf(error, visit.way?.codec));
      this.#options.telemetry.refused("slow");
      response.destroy();
    }
  }

  async #answer(visit: Visit): Promise<void> {
    const { request } = visit;
    const { limits, clock, place, table: tableOf, invoker: invokerOf } = this.#options;
    const fault = wireFault(request, limits);
    const host = hostName(request.headers.host);
    if (fault !== undefined || host === undefined) {
      const { status, message } = fault ?? { status: 400, message: "The Host header is no name." };
      const reason = status === 431 ? "headers" : "malformed";
      return this.#refuse(visit, { reason, answer: jsonAnswer(status, { message }) }, true);
    }
    const [table, invoker] = [tableOf(), invokerOf()];
    if (table === undefined || invoker === undefined) return this.#refuse(visit, STARTING, true);
    const way = wayOf(request, host, table, clock.now(), this.#options);
    if (way === undefined) return this.#refuse(visit, NO_ROUTE);
    visit.way = way;
    const { cors, authType } = way.route;
    const preflight = cors && preflightAnswer(cors, request.method ?? "", way.origin.headers);
    if (preflight !== undefined) return this.#send(visit, preflight);
    const arrival = authType === "AWS_IAM" ? this.#signers.arrive(request, way.origin) : undefined;
    const isProven = arrival?.kind !== "to prove";
    const reading = { bytes: this.#bytes, pace: this.#pace, limits };
    const { response, held } = visit;
    const size = { bytesMax: way.codec.bodyBytesMax, isProven };
    const body = await readRequestBody(request, response, held, size, reading);
    visit.isBodyRead = true;
    const signer = arrival && this.#signers.prove(arrival, request, body, way.origin);
    if (response.destroyed) return;
    const { requestId } = visit;
    await this.#call(visit, way, exchangeOf(request, way, { requestId, body, signer }, place), invoker);
  }

  async #call(visit: Visit, way: Way, exchange: Exchange, invoker: Invoker): Promise<void> {
    const { response, held } = visit;
    const { codec, route } = way;
    const payload = Buffer.from(JSON.stringify(codec.event(exchange)));
    // plant: an-event-is-made-without-room-for-it
    if (!held.take(payload.length)) throw tooBusy();
    const stream = route.invokeMode === "RESPONSE_STREAM" ? this.#stream(visit, codec) : undefined;
    const running = invoker.invoke(callOf(exchange, payload, stream, response, this.#end.signal));
    const { waitMsMax } = codec;
    const result =
      waitMsMax === undefined
        ? await running
        : await firstOf(running, whenLate(this.#options.clock, waitMsMax, LATE));
    if (response.destroyed) return;
    if (result.kind === "late") return this.#send(visit, codec.failed("late"));
    if (stream === undefined || stream.state === "unopened")
      return this.#sendResult(visit, way, exchange, result);
    // What has gone out cannot be taken back: a failure behind it ends the response where it is, as on AWS.
    if (stream.state === "headed") {
      this.#told(visit, response.statusCode);
      return endResponse(response, undefined, this.#pace, this.#options.limits.stallMs);
    }
    const isEmpty = stream.isEmpty && result.kind === "succeeded";
    return this.#send(visit, isEmpty ? NO_BYTES : codec.failed("malformed"));
  }

  #stream(visit: Visit, codec: Codec): StreamedAnswer {
    const { response } = visit;
    return new StreamedAnswer({
      response,
      codec,
      pace: this.#pace,
      stallMs: this.#options.limits.stallMs,
      head: (answer) => writeHead(response, dressed(visit, answer), this.#headParts(visit, false)),
    });
  }

  #sendResult(visit: Visit, { codec, route }: Way, exchange: Exchange, result: InvocationResult) {
    const failure: Failure | undefined = failureOf(result);
    if (failure !== undefined || result.kind !== "succeeded") {
      if (failure === "throttled") this.#options.telemetry.refused("throttled");
      return this.#send(visit, codec.failed(failure ?? "unavailable"));
    }
    const { payload } = result;
    // plant: a-response-is-held-without-room-for-it
    if (!visit.held.take(payload.length)) throw tooBusy();
    const isStreaming = route.invokeMode === "RESPONSE_STREAM";
    const answer = isStreaming ? answerAsWritten(codec, payload) : codec.answer(payload, exchange);
    return this.#send(visit, answer ?? codec.failed("malformed"));
  }

  #send(visit: Visit, answer: FrontAnswer, isLast = false): Promise<void> | undefined {
    const { response } = visit;
    if (response.headersSent || response.destroyed) return undefined;
    const head = this.#headParts(visit, isLast);
    this.#told(visit, answer.status);
    return sendAnswer(response, dressed(visit, answer), head, this.#pace, this.#options.limits);
  }

  #headParts({ request, requestId, isBodyRead }: Visit, isLast: boolean) {
    const isUnread = !isBodyRead && hasBody(request) && isWorthClosing(request);
    const extra: readonly Header[] = [["x-amzn-requestid", requestId]];
    return { extra, isLast: isLast || isUnread || this.#isDraining };
  }

  #told({ way, startedMs }: Visit, status: number): void {
    if (way === undefined) return;
    const { clock, telemetry } = this.#options;
    telemetry.answered(way.route.name, status, clock.monotonic() - startedMs);
  }

  /** `isLast`: what follows on the connection is not read. */
  #refuse(visit: Visit, { reason, answer }: Refusal, isLast = false): void {
    this.#options.telemetry.refused(reason);
    void this.#send(visit, answer, isLast);
  }
}

/** With what the route says of web pages of other places. */
function dressed({ way }: Visit, answer: FrontAnswer): FrontAnswer {
  if (way?.route.cors === undefined) return answer;
  return { ...answer, headers: withCors(answer.headers, way.route.cors, way.origin.headers) };
}
