import { type ContractBug, contractBug } from "../contract-bug.ts";

const ATTACKS = "test/integration/front/attacks.test.ts";
const ANSWERS = "test/unit/front/answers.test.ts";

/** What requests from outside, and functions behind them, could do to others. */
export const FRONT_BUGS: readonly ContractBug[] = [
  contractBug(
    "requests of one connection run at once",
    { file: ATTACKS, test: "has its requests answered one after the other" },
    { at: "requests-of-one-connection-run-at-once", instead: "if (line.isEnding) {" },
  ),
  contractBug(
    "what follows a request is answered in its place",
    { file: ATTACKS, test: "has the answer to its request, and no other, when what follows cannot be read" },
    { at: "what-follows-a-request-is-answered-in-its-place", instead: "if (!isOfBody) turns.end(socket);" },
  ),
  contractBug(
    "what stands behind a refused request is run",
    { file: ATTACKS, test: "an absolute URL of another host" },
    { at: "what-stands-behind-a-refused-request-is-run", instead: "" },
  ),
  contractBug(
    "a header that may come once comes twice",
    { file: ATTACKS, test: "two hosts" },
    { at: "a-header-that-may-come-once-comes-twice", instead: "if (name === undefined)" },
  ),
  contractBug(
    "anybody says where a request came from",
    { file: ATTACKS, test: "nobody says where a request came from but a proxy that is trusted" },
    { at: "anybody-says-where-a-request-came-from", instead: "const isTrusted = true;" },
  ),
  contractBug(
    "an event is made without room for it",
    { file: ATTACKS, test: "whose event there is no room for is refused" },
    { at: "an-event-is-made-without-room-for-it", instead: "held.take(payload.length);" },
  ),
  contractBug(
    "a response is held without room for it",
    { file: ATTACKS, test: "a response that there is no room for is not held" },
    { at: "a-response-is-held-without-room-for-it", instead: "visit.held.take(payload.length);" },
  ),
  contractBug(
    "who reads no short response keeps its place",
    { file: ATTACKS, test: "who reads none of many short responses is cut off as well" },
    { at: "who-reads-no-short-response-keeps-its-place", instead: "if (stallMs > 0) return undefined;" },
  ),
  contractBug(
    "an address that is none is where a request came from",
    { file: ATTACKS, test: "the last proxy of which anything is known" },
    { at: "an-address-that-is-none-is-where-a-request-came-from", instead: "" },
  ),
  contractBug(
    "a function splits its response",
    { file: ANSWERS, test: "a header that would end the head" },
    { at: "a-function-splits-its-response", instead: "return NAME.test(name);" },
  ),
  contractBug(
    "a function says how long its response is",
    { file: ANSWERS, test: "headers of the connection, which are not the function's to say" },
    { at: "a-function-says-how-long-its-response-is", instead: "return ownHeaders(headers);" },
  ),
  contractBug(
    "a REST answer with members that nobody knows is sent",
    { file: ANSWERS, test: "a member that nobody knows" },
    {
      at: "a-rest-answer-with-members-that-nobody-knows-is-sent",
      instead: "if (names.length === 0) return undefined;",
    },
  ),
];
