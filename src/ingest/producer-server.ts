import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Access, type Arrival, checkRole } from "../api/access.ts";
import type { Credentials } from "../api/access-credentials.ts";
import { BodyBytes, type HeldBody } from "../api/body-bytes.ts";
import { readBody } from "../api/body-reader.ts";
import { connectionLimits, limitConnections } from "../api/connection-limit.ts";
import { hostName, isLoopback, type ServerAddress } from "../api/server-address.ts";
import type { SignedRequest } from "../api/signature.ts";
import { ControlFault } from "../control/control-fault.ts";
import type { EmbeddedBooks } from "../control/embedded/embedded-book.ts";
import { describeError, MillraceError } from "../model/errors.ts";
import type { Place } from "../model/place.ts";
import type { Clock } from "../ports/clock.ts";
import { ProducerFault, producerFault } from "./producer-fault.ts";
import { type AnyRequest, type AnyResponse, createTwoProtocolServer } from "./two-protocols.ts";
import { WireMembers } from "./wire-members.ts";
import { headerOf, protocolFault } from "./wire-protocol.ts";
import { type WireService, wireServices } from "./wire-services.ts";

export interface ProducerServerOptions {
  readonly address: ServerAddress;
  /** `undefined` until everything is open. */
  readonly embedded: () => EmbeddedBooks | undefined;
  /** In ARNs and addresses that are answered. */
  readonly place: Place;
  /** `undefined`: whoever reaches the address may send. */
  readonly credentials: Credentials | undefined;
  /** Names that the server answers to, besides local ones and its address. */
  readonly hosts: readonly string[];
  readonly clock: Clock;
  readonly requestId: () => string;
}

export interface ProducerServer {
  /** `http://127.0.0.1:8081` */
  readonly url: string;
  close(): Promise<void>;
}

/** What one caller may send: a request each for as many messages as a file takes on a good day. */
const REQUESTS_PER_SECOND = 2_000;
const REQUEST_TIMEOUT_MS = 10_000;
const HEADERS_TIMEOUT_MS = 5_000;
const TIMEOUT_CHECK_MS = 1_000;
const HEADER_BYTES_MAX = 16 * 1024;
const QUIET_MS = 60_000;

/**
 * Serves producers of Kinesis and SQS, whose clients are told the address by `AWS_ENDPOINT_URL_KINESIS` and
 * `AWS_ENDPOINT_URL_SQS`. Consumers are not served: mappings read.
 * @throws MillraceError ERR_MILLRACE_CONFIG when the address is taken or cannot be used.
 */
export async function startProducerServer(options: ProducerServerOptions): Promise<ProducerServer> {
  const door = new ProducerDoor(options);
  const limits = {
    headerBytesMax: HEADER_BYTES_MAX,
    headersTimeoutMs: HEADERS_TIMEOUT_MS,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    checkMs: TIMEOUT_CHECK_MS,
    quietMs: QUIET_MS,
  };
  const server = createTwoProtocolServer(limits, (request, response) => void door.serve(request, response));
  limitConnections(server, connectionLimits());
  const sockets = new Set<{ destroy(): unknown }>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const { host, port } = options.address;
  await listening(server, options.address);
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port === 0 ? taken : port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function listening(server: Server, { host, port }: ServerAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === "EADDRINUSE"
          ? "another process listens there"
          : `it cannot be used: ${describeError(error)}`;
      const message = `Producers cannot be served on ${host}:${port}: ${reason}. Give another address with --sources-api HOST:PORT.`;
      reject(new MillraceError("ERR_MILLRACE_CONFIG", message, { cause: error }));
    });
    server.listen(port, host, () => resolve());
  });
}

class ProducerDoor {
  readonly #options: ProducerServerOptions;
  readonly #access: Access;
  readonly #services: readonly WireService[];
  readonly #bodies = new BodyBytes();
  readonly #names: ReadonlySet<string>;

  constructor(options: ProducerServerOptions) {
    const { credentials, clock, hosts, address } = options;
    this.#options = options;
    this.#access = new Access({
      credentials,
      clock,
      requestsPerSecond: REQUESTS_PER_SECOND,
      services: ["kinesis", "sqs"],
    });
    this.#names = new Set([...hosts, address.host].map((name) => name.toLowerCase()));
    this.#services = wireServices(() => {
      const books = options.embedded();
      if (books === undefined) throw new ControlFault("ServiceException", "millrace is starting. Try again.");
      return books;
    });
  }

  /** Answers, whatever comes. */
  async serve(request: AnyRequest, response: AnyResponse): Promise<void> {
    const [target = "", operation = ""] = headerOf(request.headers, "x-amz-target").split(".", 2);
    const service = this.#services.find((each) => each.target === target);
    const closed = new AbortController();
    response.once("close", () => closed.abort());
    // One that hangs up while its body comes is nobody's error.
    request.on("error", () => undefined);
    response.on("error", () => undefined);
    try {
      const answer = await this.#answer(request, response, service, operation);
      if (!closed.signal.aborted) this.#send(response, service, answer);
    } catch (error) {
      if (closed.signal.aborted) return;
      const words = service?.words ?? (this.#services[0] as WireService).words;
      this.#refuse(response, service, producerFault(error, words));
    }
  }

  async #answer(
    request: AnyRequest,
    response: AnyResponse,
    service: WireService | undefined,
    operation: string,
  ): Promise<object | undefined> {
    const origin = this.#originOf(request);
    if (request.method !== "POST")
      throw new ProducerFault("UnknownOperationException", "Producers are served by POST.", { status: 404 });
    const arrival = this.#access.arrive(signed(request), request.socket.remoteAddress ?? "");
    if (arrival.kind === "caller") checkRole(arrival.caller, "send");
    const wrong = protocolFault(request.headers);
    if (wrong !== undefined) throw wrong;
    if (service === undefined) {
      const message =
        "The header X-Amz-Target names no operation of Kinesis or SQS, such as AmazonSQS.SendMessage.";
      throw new ProducerFault("UnknownOperationException", message);
    }
    const run = Object.hasOwn(service.operations, operation) ? service.operations[operation] : undefined;
    if (run === undefined) throw service.unserved(operation);
    const held = this.#bodies.open(arrival.kind === "caller");
    response.once("close", () => held.close());
    const body = await this.#bodyOf(request, service, held, arrival);
    return await run({ members: WireMembers.ofBody(body), origin, place: this.#options.place });
  }

  async #bodyOf(
    request: AnyRequest,
    { bodyBytesMax }: WireService,
    held: HeldBody,
    arrival: Arrival,
  ): Promise<Buffer> {
    const stated = headerOf(request.headers, "content-length");
    const late = this.#options.clock.schedule(REQUEST_TIMEOUT_MS, () => request.destroy());
    try {
      const bytes = stated === "" ? undefined : Number(stated);
      const body = await readBody(request, bytes, bodyBytesMax, held);
      const caller = this.#access.prove(arrival, signed(request), body, request.socket.remoteAddress ?? "");
      held.prove();
      checkRole(caller, "send");
      return body;
    } finally {
      late.cancel();
    }
  }

  /** How the caller reaches this server; one that came by another's name, or from a web page, is not answered. */
  #originOf({ headers }: AnyRequest): string {
    const authority = headerOf(headers, ":authority") || headerOf(headers, "host");
    const host = hostName(authority);
    if (host === undefined || !(isLoopback(host) || this.#names.has(host))) {
      const message =
        "This server answers only to its own names, such as localhost. Name others with --api-host NAME.";
      throw new ProducerFault("AccessDeniedException", message, { status: 421 });
    }
    if (headers.origin !== undefined)
      throw new ProducerFault("AccessDeniedException", "Requests of web pages are not answered.", {
        status: 403,
      });
    return `http://${authority}`;
  }

  #send(response: AnyResponse, service: WireService | undefined, answer: object | undefined): void {
    this.#write(response, 200, service, {}, answer === undefined ? "" : JSON.stringify(answer));
  }

  #refuse(
    response: AnyResponse,
    service: WireService | undefined,
    { type, message, status, queryCode }: ProducerFault,
  ): void {
    const namespace = service?.target === "AmazonSQS" ? "com.amazonaws.sqs#" : "";
    const older = `${queryCode ?? type};${status < 500 ? "Sender" : "Receiver"}`;
    const headers = {
      "x-amzn-errortype": type,
      ...(service?.target === "AmazonSQS" ? { "x-amzn-query-error": older } : {}),
    };
    const body = JSON.stringify({ __type: namespace + type, message });
    this.#write(response, status, service, headers, body);
  }

  #write(
    response: AnyResponse,
    status: number,
    service: WireService | undefined,
    headers: Readonly<Record<string, string>>,
    body: string,
  ): void {
    response.statusCode = status;
    const all = {
      "content-type": service?.contentType ?? "application/json",
      "content-length": String(Buffer.byteLength(body)),
      "x-amzn-requestid": this.#options.requestId(),
      "cache-control": "no-store",
      ...headers,
    };
    for (const [name, value] of Object.entries(all)) response.setHeader(name, value);
    response.end(body);
  }
}

function signed({ method = "POST", url = "/", headers }: AnyRequest): SignedRequest {
  return { method, url, headers };
}
