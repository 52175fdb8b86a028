import {
  BODY_BYTES_MAX,
  type Codec,
  type Exchange,
  type Failure,
  type FrontAnswer,
  jsonAnswer,
} from "./exchange.ts";
import { payload2Answer, payload2Event, payload2Head } from "./payload-2.ts";

/** A function URL: payload format 2.0 (invocation §13.1). */
export const urlCodec: Codec = {
  bodyBytesMax: BODY_BYTES_MAX,
  event: urlEvent,
  answer: payload2Answer,
  failed,
  head: payload2Head,
};

export function urlEvent(exchange: Exchange) {
  const { request, route, place } = exchange;
  return payload2Event(exchange, {
    routeKey: "$default",
    // Nobody who need not sign has an account.
    accountId: request.signer === undefined ? "anonymous" : place.account,
    apiId: route.id,
    domainPrefix: route.id,
    stage: "$default",
  });
}

const FORBIDDEN =
  "Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html";

function failed(why: Failure): FrontAnswer {
  switch (why) {
    case "forbidden":
      return jsonAnswer(403, { Message: FORBIDDEN }, [["x-amzn-errortype", "AccessDeniedException"]]);
    case "throttled": {
      const reason = "ConcurrentInvocationLimitExceeded";
      const body = { Reason: reason, Type: "User", message: "Rate Exceeded." };
      return jsonAnswer(429, body, [["x-amzn-errortype", "TooManyRequestsException"]]);
    }
    case "tooLarge":
      return jsonAnswer(413, {
        message: "Request must be smaller than 6291456 bytes for the InvokeFunction operation",
      });
    case "functionFailed":
    case "malformed":
    case "unavailable":
    case "late":
      return { status: 502, headers: [["content-type", "application/json"]], body: "Internal Server Error" };
  }
}
