import { type ClientNeeds, type ClientSettings, createAwsClient } from "./client.ts";
import { memberOf } from "./fault.ts";
import { type HttpRequest, LeanHttp, type LeanResponse, originOf } from "./lean-http.ts";
import { RequestSigner, type SigningCredentials } from "./request-signer.ts";

const CONNECT_MS_MAX = 5_000;
/** Ten messages of 1 MiB, or a page of 10 MiB in base64, with room for what is written with escapes. */
const RESPONSE_BYTES_MAX = 64 * 1024 * 1024;

export interface LeanNeeds extends ClientNeeds {
  readonly region: string;
  readonly connections: number;
  /** For the signature, when the endpoint names no other: `kinesis`. */
  readonly service: string;
  /**
   * Sees each answer before the SDK does, and may have the SDK read another body. The call rejects with what it throws.
   */
  readonly seeAnswer?: (commandName: string, answer: LeanResponse) => LeanResponse;
}

export interface LeanSettings extends Omit<ClientSettings, "requestHandler"> {
  readonly requestHandler: LeanHttp;
  readonly cacheMiddleware: true;
  readonly signer: RequestSigner;
}

/** The part of the SDK's clients that all of them have. */
interface SdkClient {
  readonly config: {
    readonly serviceId: string;
    systemClockOffset: number;
    readonly credentials: () => Promise<SigningCredentials>;
  };
  readonly middlewareStack: {
    add(middleware: never, options: never): void;
    remove(name: string): boolean;
  };
}

/** The signals of calls: the SDK caches nothing for a command that is sent with options. */
const signals = new WeakMap<object, AbortSignal>();
const answers = new WeakMap<object, LeanResponse>();
/** What commands are answered with that were asked by hand. */
const given = new WeakMap<object, LeanResponse>();
/** Inputs of commands that are not to be sent, and what would be. */
const probes = new WeakMap<object, { request?: HttpRequest }>();
const partsOf = new WeakMap<object, LeanParts>();

interface LeanParts {
  readonly requestHandler: LeanHttp;
  readonly signer: RequestSigner;
}

/** Has `signal` end the call that this command makes, by a lean client. */
export function abortable<C extends { readonly input: object }>(command: C, signal: AbortSignal): C {
  signals.set(command.input, signal);
  return command;
}

/** The answer that a lean client made `output` of, as `seeAnswer` left it. */
export function answerOf(output: object): LeanResponse | undefined {
  return answers.get(output);
}

/** The parts of a lean client that send without the SDK. */
export function leanPartsOf(client: object): LeanParts {
  const parts = partsOf.get(client);
  if (parts === undefined) throw new TypeError("The client is no lean client.");
  return parts;
}

/** Has the SDK read `answer` to this command, in place of sending it. If it sends it once more, it is sent. */
export function answeredBefore(command: { readonly input: object }, answer: LeanResponse): void {
  given.set(command.input, answer);
}

/** A request of a client as it would be sent, and by whose names it was signed. */
export interface ProbedRequest {
  readonly origin: string;
  readonly path: string;
  readonly region: string;
  readonly service: string;
  /** Those that are the same for each request of its kind. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/**
 * Makes the request of a command, by all the SDK's rules of endpoints and credentials, and does not send it.
 *
 * @throws what the SDK throws when it cannot make it.
 */
export async function probe<C extends { readonly input: object }>(
  command: C,
  send: (command: C) => Promise<unknown>,
): Promise<ProbedRequest> {
  const seen: { request?: HttpRequest } = {};
  probes.set(command.input, seen);
  try {
    await send(command);
  } catch (error) {
    if (seen.request === undefined) throw error;
  } finally {
    // Another command may have the same input.
    probes.delete(command.input);
  }
  if (seen.request === undefined) throw new TypeError("The command was not sent by a lean client.");
  return probedRequest(seen.request);
}

/** Those are made for each request anew, or for none that is sent by hand. */
const OF_ONE_REQUEST =
  /^(authorization|content-length|user-agent|x-amz-(date|security-token|content-sha256|user-agent)|amz-sdk-.*|x-amzn-trace-id)$/;

function probedRequest(request: HttpRequest): ProbedRequest {
  const scope = /Credential=[^/]+\/\d+\/([^/]+)\/([^/]+)\//.exec(request.headers["authorization"] ?? "");
  const headers = Object.entries(request.headers).map(
    ([name, value]) => [name.toLowerCase(), value] as const,
  );
  return {
    origin: originOf(request),
    path: request.path,
    region: scope?.[1] ?? "",
    service: scope?.[2] ?? "",
    headers: headers.filter(([name]) => !OF_ONE_REQUEST.test(name)).sort(([a], [b]) => (a < b ? -1 : 1)),
  };
}

/**
 * A client of the SDK for calls that come with every page or batch, at a quarter of the SDK's own cost (decision 0015).
 * Commands, credentials, endpoints, clock skew and errors stay the SDK's. HTTP/1.1 always, which emulators speak.
 * Send `abortable` commands, without options.
 */
export function createLeanClient<C extends SdkClient>(
  needs: LeanNeeds,
  create: (settings: LeanSettings) => C,
): C {
  const { region, service, connections, connectMs = CONNECT_MS_MAX, silenceMs, seeAnswer } = needs;
  const requestHandler = new LeanHttp({
    connectMsMax: connectMs,
    connectionsMax: connections,
    responseBytesMax: RESPONSE_BYTES_MAX,
    silenceMsMax: silenceMs,
  });
  const nowMs = () => Date.now() + client.config.systemClockOffset;
  const signer = new RequestSigner(region, service, () => client.config.credentials(), nowMs);
  const client: C = createAwsClient(needs, (settings) =>
    create({ ...settings, cacheMiddleware: true, requestHandler, signer }),
  );
  partsOf.set(client, { requestHandler, signer });
  // The handler has a name of its own.
  client.middlewareStack.remove("getUserAgentMiddleware");
  // Innermost, where the client itself would call the handler, though without the signal.
  const send = (_next: unknown, context: object) => async (args: { input: object; request: HttpRequest }) => {
    const probed = probes.get(args.input);
    if (probed !== undefined) {
      probed.request = args.request;
      throw new Error("The request is not to be sent.");
    }
    const before = given.get(args.input);
    given.delete(args.input);
    const answer = before ?? (await requestHandler.send(args.request, signals.get(args.input)));
    return { response: seeAnswer?.(String(memberOf(context, "commandName")), answer) ?? answer };
  };
  // What the SDK makes of an answer is only known further out.
  const keep = (next: (args: never) => Promise<Result>) => async (args: never) => {
    const result = await next(args);
    if (result.output !== undefined) answers.set(result.output, result.response);
    return result;
  };
  const at = { step: "deserialize" };
  client.middlewareStack.add(send as never, { ...at, priority: "low", name: "millraceSend" } as never);
  client.middlewareStack.add(keep as never, { ...at, priority: "high", name: "millraceAnswer" } as never);
  return client;
}

interface Result {
  readonly response: LeanResponse;
  readonly output?: object | undefined;
}
