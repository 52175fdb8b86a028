import type { FastifyInstance } from "fastify";
import { ControlFault } from "../control/control-fault.ts";
import { testPattern } from "../engine/filter/test-pattern.ts";
import { MillraceError } from "../model/errors.ts";
import { addRoute, jsonOf } from "./route.ts";

/** Whether a filter pattern matches an event, each a JSON text: `{"pattern": …, "event": …}` → `{"matches": true}`. */
export function addTestPatternRoute(app: FastifyInstance): void {
  addRoute(app, {
    method: "POST",
    url: "/millrace/v1/test-pattern",
    role: "read",
    async handle(request) {
      const { pattern, event } = jsonOf(request);
      if (typeof pattern !== "string" || typeof event !== "string")
        throw invalid("Give pattern and event as texts.");
      try {
        return { matches: testPattern(pattern, event) };
      } catch (error) {
        if (error instanceof MillraceError) throw invalid(error.message);
        throw error;
      }
    },
  });
}

function invalid(message: string): ControlFault {
  return new ControlFault("InvalidParameterValueException", message);
}
