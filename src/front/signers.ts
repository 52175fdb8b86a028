import type { IncomingMessage } from "node:http";
import { Access, type Arrival, checkRole } from "../api/access.ts";
import type { Credentials } from "../api/access-credentials.ts";
import { readSignatureClaim, type SignedRequest } from "../api/signature.ts";
import type { Clock } from "../ports/clock.ts";
import type { Signer } from "./exchange.ts";
import type { Origin } from "./wire-request.ts";

/** Names that AWS's clients sign for: a function URL's, and API Gateway's. */
const SERVICES: readonly string[] = ["lambda", "execute-api"];
const NOBODY: Credentials = { tokens: [], keys: [] };

/** Who may use routes whose callers sign: keys and tokens of the API with the role `invoke` or `write`. */
export class Signers {
  readonly #access: Access;

  /** Without credentials nobody can prove anything, and nobody passes. */
  constructor(credentials: Credentials | undefined, clock: Clock, requestsPerSecond: number) {
    this.#access = new Access({
      credentials: credentials ?? NOBODY,
      clock,
      requestsPerSecond,
      services: SERVICES,
    });
  }

  /** Looks at the headers, before a body is read. @throws ApiFault */
  arrive(request: IncomingMessage, { sourceIp }: Origin): Arrival {
    const arrival = this.#access.arrive(signedOf(request), sourceIp);
    if (arrival.kind === "caller") checkRole(arrival.caller, "invoke", "write");
    return arrival;
  }

  /** @throws ApiFault */
  prove(arrival: Arrival, request: IncomingMessage, body: Buffer, { sourceIp }: Origin): Signer {
    const signed = signedOf(request);
    const caller = this.#access.prove(arrival, signed, body, sourceIp);
    checkRole(caller, "invoke", "write");
    return { name: caller.name, accessKeyId: readSignatureClaim(signed)?.accessKeyId ?? caller.name };
  }
}

function signedOf({ method = "GET", url = "/", headers }: IncomingMessage): SignedRequest {
  return { method, url, headers };
}
