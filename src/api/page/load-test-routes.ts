import type { FastifyInstance } from "fastify";
import { ControlFault } from "../../control/control-fault.ts";
import type { ControlPlane } from "../../control/control-plane.ts";
import {
  type LOAD_TEST_FIGURES,
  LOAD_TEST_STATES,
  LOAD_TESTS_PATH,
  type LoadTestProgress,
} from "../../model/load-test.ts";
import { addRoute, jsonOf, paramOf } from "../route.ts";

const NAME_CHARS_MAX = 128;

/** How load tests go: they tell it, and pages show it. Nothing is changed by it, so it has no audit line. */
export function addLoadTestRoutes(app: FastifyInstance, control: () => ControlPlane): void {
  addRoute(app, {
    method: "GET",
    url: LOAD_TESTS_PATH,
    role: "read",
    handle: async () => ({ loadTests: control().loadTests.list() }),
  });
  addRoute(app, {
    method: "PUT",
    url: `${LOAD_TESTS_PATH}/:name`,
    role: "send",
    orRole: "write",
    async handle(request, reply) {
      control().loadTests.tell(readProgress(paramOf(request, "name"), jsonOf(request)));
      return reply.code(204).send();
    },
  });
}

/** @throws ControlFault InvalidParameterValueException */
function readProgress(name: string, body: Readonly<Record<string, unknown>>): LoadTestProgress {
  if (name.length > NAME_CHARS_MAX) throw invalid(`The name has more than ${NAME_CHARS_MAX} characters.`);
  const state = LOAD_TEST_STATES.find((each) => each === body["state"]);
  if (state === undefined) throw invalid(`state is to be ${LOAD_TEST_STATES.join(", ")}.`);
  const figure = (member: (typeof LOAD_TEST_FIGURES)[number]): number => {
    const value = body[member];
    if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
    throw invalid(`${member} is to be a number, 0 or more.`);
  };
  return {
    name,
    state,
    elapsedMs: figure("elapsedMs"),
    totalMs: figure("totalMs"),
    sentPerSecond: figure("sentPerSecond"),
    deliveredPerSecond: figure("deliveredPerSecond"),
    lag: figure("lag"),
    inFlight: figure("inFlight"),
    failures: figure("failures"),
    violations: figure("violations"),
    p99Ms: figure("p99Ms"),
  };
}

function invalid(message: string): ControlFault {
  return new ControlFault("InvalidParameterValueException", message);
}
