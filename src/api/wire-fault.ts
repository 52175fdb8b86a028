import type { FastifyReply } from "fastify";
import type { FaultName } from "../control/control-fault.ts";

/** Statuses and body members of AWS's errors, which differ by error (streams §1.2). */
const WIRE: Readonly<
  Record<FaultName | ApiFaultName, readonly [status: number, type: string | undefined, text: string]>
> = {
  ConflictException: [409, undefined, "Message"],
  DeploymentAlreadyCompletedException: [400, undefined, "message"],
  DeploymentConfigDoesNotExistException: [400, undefined, "message"],
  DeploymentDoesNotExistException: [400, undefined, "message"],
  InvalidRevisionException: [400, undefined, "message"],
  InvalidEventPatternException: [400, undefined, "message"],
  LimitExceededException: [400, undefined, "message"],
  ServiceQuotaExceededException: [402, undefined, "Message"],
  InvalidParameterValueException: [400, "User", "message"],
  PolicyLengthExceededException: [400, "User", "message"],
  PreconditionFailedException: [412, "User", "message"],
  ProvisionedConcurrencyConfigNotFoundException: [404, "User", "message"],
  ResourceConflictException: [409, "User", "message"],
  ResourceInUseException: [400, "User", "Message"],
  ResourceNotFoundException: [404, "User", "Message"],
  ServiceException: [500, "Service", "Message"],
  SerializationException: [400, "User", "Message"],
  ValidationException: [400, undefined, "message"],
  AccessDeniedException: [403, undefined, "Message"],
  InvalidRequestContentException: [400, "User", "message"],
  InvalidSignatureException: [403, undefined, "message"],
  MissingAuthenticationTokenException: [403, undefined, "message"],
  NotImplementedException: [501, "Service", "Message"],
  RecursiveInvocationException: [400, "User", "Message"],
  ResourceNotReadyException: [502, "Service", "Message"],
  RequestTooLargeException: [413, "User", "message"],
  TooManyRequestsException: [429, "User", "message"],
  UnrecognizedClientException: [403, undefined, "message"],
  UnsupportedMediaTypeException: [415, "User", "message"],
};

/** Errors of the API itself, which the control plane does not know. */
export type ApiFaultName =
  | "AccessDeniedException"
  | "InvalidRequestContentException"
  | "InvalidSignatureException"
  | "MissingAuthenticationTokenException"
  | "NotImplementedException"
  | "RecursiveInvocationException"
  | "RequestTooLargeException"
  | "ResourceNotReadyException"
  | "TooManyRequestsException"
  | "UnrecognizedClientException"
  | "UnsupportedMediaTypeException";

/** A request that is answered with an error of AWS's. */
export class ApiFault extends Error {
  readonly fault: ApiFaultName;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(fault: ApiFaultName, message: string, members: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = "ApiFault";
    this.fault = fault;
    this.members = members;
  }
}

export function faultStatus(fault: FaultName | ApiFaultName): number {
  return WIRE[fault][0];
}

export function sendFault(
  reply: FastifyReply,
  fault: FaultName | ApiFaultName,
  message: string,
  members: Readonly<Record<string, unknown>> = {},
): FastifyReply {
  const [status, type, textMember] = WIRE[fault];
  const body = { ...members, ...(type === undefined ? {} : { Type: type }), [textMember]: message };
  return reply.code(status).header("x-amzn-ErrorType", fault).send(body);
}
