import { timingSafeEqual } from "node:crypto";
import type { Clock } from "../ports/clock.ts";
import { type Caller, type Credentials, ROLES, type Role, sha256 } from "./access-credentials.ts";
import { CallRates } from "./call-rates.ts";
import {
  expectedSignature,
  readSignatureClaim,
  type SignatureClaim,
  type SignedRequest,
  statedBodyHash,
} from "./signature.ts";
import { ApiFault } from "./wire-fault.ts";

/**
 * Who has come, with the hash that its body must have if it states one; or a claim that needs the body to be proven.
 */
export type Arrival =
  | { readonly kind: "caller"; readonly caller: Caller; readonly bodyHash?: string }
  | ArrivalToProve;

interface ArrivalToProve {
  readonly kind: "to prove";
  readonly claim: SignatureClaim;
  readonly secret: string;
  readonly caller: Caller;
}

const CLOCK_SKEW_MS_MAX = 5 * 60_000;
/** Lambda's API. */
const SERVICES: readonly string[] = ["lambda"];
const LOCAL: Caller = { name: "local", roles: new Set(ROLES) };
/**
 * Failures that an address may have. Callers that are known pass all the same: a guesser behind their proxy must not
 * shut them out.
 */
const FAILURES_PER_SECOND = 5;

export interface AccessOptions {
  /** `undefined`: whoever reaches the server may do all. */
  readonly credentials: Credentials | undefined;
  readonly clock: Clock;
  /** Requests of a caller, over time; a few times as many may come at once. */
  readonly requestsPerSecond: number;
  /** Names that signatures are made for. Default: Lambda's. */
  readonly services?: readonly string[];
}

/** Says who calls and what they may do. Everything that is not allowed is refused. */
export class Access {
  readonly #credentials: Credentials | undefined;
  readonly #clock: Clock;
  readonly #rates: CallRates;
  readonly #failures: CallRates;
  readonly #services: readonly string[];

  constructor({ credentials, clock, requestsPerSecond, services = SERVICES }: AccessOptions) {
    this.#services = services;
    this.#credentials = credentials;
    this.#clock = clock;
    this.#rates = new CallRates(requestsPerSecond, clock);
    this.#failures = new CallRates(FAILURES_PER_SECOND, clock);
  }

  /** Looks at the headers, before a body is read. @throws ApiFault */
  arrive(request: SignedRequest, address: string): Arrival {
    if (this.#credentials === undefined) return this.#admit(LOCAL);
    const authorization = request.headers["authorization"];
    if (typeof authorization === "string" && /^Bearer /i.test(authorization)) {
      const caller = this.#callerOfToken(this.#credentials, authorization.slice("Bearer ".length).trim());
      if (caller !== undefined) return this.#admit(caller);
      throw this.#failed(address, unrecognized());
    }
    if (authorization === undefined) throw this.#failed(address, missing());
    const claim = readSignatureClaim(request);
    if (claim === undefined) throw this.#failed(address, incomplete());
    if (
      Math.abs(this.#clock.now() - claim.epochMs) > CLOCK_SKEW_MS_MAX ||
      !this.#services.includes(claim.service)
    ) {
      throw this.#failed(address, expired());
    }
    const key = this.#credentials.keys.find(({ accessKeyId }) => accessKeyId === claim.accessKeyId);
    if (key === undefined) throw this.#failed(address, unrecognized());
    const { secret, caller } = key;
    const bodyHash = statedBodyHash(request);
    if (bodyHash === undefined) return { kind: "to prove", claim, secret, caller };
    // The signature is over the stated hash: whoever signed is known before the body comes.
    if (!timingSafeEqual(expectedSignature(request, claim, secret, bodyHash), claim.signature)) {
      throw this.#failed(address, wrongSignature());
    }
    return { ...this.#admit(caller), bodyHash };
  }

  /** Looks at the signature over headers and body. @throws ApiFault */
  prove(arrival: Arrival, request: SignedRequest, body: Buffer, address: string): Caller {
    const hash = () => sha256(body).toString("hex");
    if (arrival.kind === "caller") {
      const { caller, bodyHash } = arrival;
      if (bodyHash !== undefined && bodyHash !== hash()) throw this.#failed(address, wrongSignature());
      return caller;
    }
    const { claim, secret, caller } = arrival;
    const isRight = timingSafeEqual(expectedSignature(request, claim, secret, hash()), claim.signature);
    // A stated hash that is none cannot be that of the body.
    const isStated = request.headers["x-amz-content-sha256"] !== undefined;
    if (!isRight || isStated) throw this.#failed(address, wrongSignature());
    this.#admit(caller);
    return caller;
  }

  #admit(caller: Caller) {
    if (!this.#rates.take(caller.name)) throw tooMany();
    return { kind: "caller", caller } as const;
  }

  /** All are compared, on hashes of one length: the time says nothing of the tokens. */
  #callerOfToken({ tokens }: Credentials, token: string): Caller | undefined {
    const hash = sha256(token);
    let found: Caller | undefined;
    for (const known of tokens) if (timingSafeEqual(known.hash, hash)) found = known.caller;
    return found;
  }

  #failed(address: string, fault: ApiFault): ApiFault {
    return this.#failures.take(address) ? fault : tooMany();
  }
}

/** @throws ApiFault */
export function checkRole(caller: Caller, role: Role, orRole: Role = role): void {
  // plant: who-may-change-may-do-all
  if (caller.roles.has(role) || caller.roles.has(orRole)) return;
  const has = [...caller.roles].join(", ");
  const message = `User: ${caller.name} is not authorized to perform this action: it needs the role ${role}, and has ${has}.`;
  throw new ApiFault("AccessDeniedException", message);
}

function missing(): ApiFault {
  return new ApiFault("MissingAuthenticationTokenException", "Missing Authentication Token");
}

function unrecognized(): ApiFault {
  return new ApiFault(
    "UnrecognizedClientException",
    "The security token included in the request is invalid.",
  );
}

function incomplete(): ApiFault {
  const message = "The Authorization header is incomplete, or a header that must be signed is not.";
  return new ApiFault("InvalidSignatureException", message);
}

function expired(): ApiFault {
  const message = "The signature is of another service, or its time is more than 5 minutes away.";
  return new ApiFault("InvalidSignatureException", message);
}

function wrongSignature(): ApiFault {
  const message = "The request signature we calculated does not match the signature you provided.";
  return new ApiFault("InvalidSignatureException", message);
}

function tooMany(): ApiFault {
  return new ApiFault("TooManyRequestsException", "Rate exceeded", { Reason: "CallerRateLimitExceeded" });
}
