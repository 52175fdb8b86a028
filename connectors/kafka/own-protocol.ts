import type { ProtocolRequest } from "kafkajs/src/network/connection.js";
import apiKeys from "kafkajs/src/protocol/requests/apiKeys.js";
import { KafkaFault } from "./fault.ts";
import { type ErrorPlace, faultOfCode } from "./kafkajs-errors.ts";
import { OWN_REQUESTS, type OwnRequest } from "./own-requests.ts";
import type { KafkaRequests } from "./requests.ts";

export interface VersionRange {
  readonly minVersion: number;
  readonly maxVersion: number;
}

export function covers(offered: VersionRange | undefined, version: number): boolean {
  return offered !== undefined && offered.minVersion <= version && version <= offered.maxVersion;
}

/** A request that we encode ourselves, for kafkajs's connection; `undefined`: the broker does not take it. */
export function ownRequest(
  name: string,
  args: object,
  offered: VersionRange | undefined,
  place: ErrorPlace,
): ProtocolRequest | undefined {
  // Its arguments and answer are those of its name.
  const own = OWN_REQUESTS[name as keyof KafkaRequests] as OwnRequest<object, object> | undefined;
  if (own === undefined || !covers(offered, own.version)) return undefined;
  return handMade(own.version, own.encode(args), own.decode, place);
}

/** `place`: its action is the request's name. */
export function handMade(
  version: number,
  bytes: Buffer,
  decode: (payload: Buffer) => unknown,
  place: ErrorPlace,
): ProtocolRequest {
  const { action: apiName } = place;
  return {
    request: {
      apiKey: apiKeys[apiName] ?? -1,
      apiVersion: version,
      apiName,
      // As far as kafkajs looks at its encoders.
      encode: async () => ({ buf: bytes, buffer: bytes }),
    },
    response: {
      decode: async (payload) => readAnswer(payload, decode, place),
      parse: async (answer) => {
        const code = firstErrorCode(answer);
        if (code !== 0) throw faultOfCode(code, place);
        return answer;
      },
    },
  };
}

function readAnswer<T>(payload: Buffer, decode: (payload: Buffer) => T, place: ErrorPlace): T {
  try {
    return decode(payload);
  } catch (cause) {
    const { action, broker } = place;
    const message = `The broker ${broker ?? ""} sent an answer to ${action} that cannot be read.`;
    throw new KafkaFault("corrupt", message, { cause });
  }
}

const UNKNOWN_TOPIC_OR_PARTITION = 3;

/** An answer in kafkajs's shapes, without the partitions that it says are not there. */
export function withoutAbsent(answer: unknown): unknown {
  const { responses = [], ...rest } = answer as PartitionAnswers;
  const present = responses.map((response) => ({
    ...response,
    partitions: response.partitions.filter(({ errorCode }) => errorCode !== UNKNOWN_TOPIC_OR_PARTITION),
  }));
  return { ...rest, responses: present };
}

interface PartitionAnswers {
  readonly errorCode?: number;
  readonly responses?: readonly { readonly partitions: readonly { readonly errorCode: number }[] }[];
}

/** The first error code of an answer in kafkajs's shapes. */
function firstErrorCode(answer: unknown): number {
  const { errorCode = 0, responses = [] } = answer as PartitionAnswers;
  if (errorCode !== 0) return errorCode;
  for (const { partitions } of responses) {
    const failed = partitions.find((partition) => partition.errorCode !== 0);
    if (failed !== undefined) return failed.errorCode;
  }
  return 0;
}
