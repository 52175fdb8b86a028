import type { ServerResponse } from "node:http";
import { errorBodyOf, type FailedCall } from "../../model/error-body.ts";
import type { InvocationOutcome } from "../../model/outcome.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ResponseHead, ResponseSink } from "../../ports/response-sink.ts";

/** Whoever called knows when its time is up, and hangs up; whoever does not is hung up on after this. */
const PATIENCE_MS = 1_000;
/** What stands behind the end of an answer is a head, and has a head's bound. */
const ENDING_BYTES_MAX = 8 * 1024;
const ENDING_CHARS_MAX = 1024;

/** An answer that goes out while the function writes it (http-function.md §3). */
export class AttachedStream implements ResponseSink {
  readonly #response: ServerResponse;
  readonly #clock: Clock;

  constructor(response: ServerResponse, clock: Clock) {
    this.#response = response;
    this.#clock = clock;
    // Whoever called may hang up: the function goes on, and writes to nobody.
    response.on("error", () => undefined);
  }

  get isOpen(): boolean {
    return this.#response.headersSent;
  }

  open({ contentType }: ResponseHead): void {
    this.#response.writeHead(200, {
      "content-type": headerText(contentType ?? "application/octet-stream"),
      "lambda-runtime-function-response-mode": "streaming",
    });
    this.#response.flushHeaders();
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    const response = this.#response;
    if (response.destroyed || response.write(chunk)) return undefined;
    return new Promise((resolve) => {
      const goOn = () => {
        response.off("drain", goOn).off("close", goOn);
        resolve();
      };
      response.once("drain", goOn).once("close", goOn);
    });
  }

  /** Ends an answer that has begun. */
  end(outcome: InvocationOutcome, call: FailedCall): void {
    const response = this.#response;
    if (outcome.kind === "timedOut") {
      const hangUp = this.#clock.schedule(PATIENCE_MS, () => response.destroy());
      response.once("close", () => hangUp.cancel());
      return;
    }
    if (outcome.kind === "functionError")
      response.addTrailers({
        "lambda-runtime-function-error-type": headerText(outcome.errorType),
        "lambda-runtime-function-error-body": endingOf(outcome, call),
      });
    response.end();
  }
}

function endingOf(
  outcome: Extract<InvocationOutcome, { readonly kind: "functionError" }>,
  call: FailedCall,
): string {
  const whole = Buffer.from(JSON.stringify(errorBodyOf(outcome, call)));
  if (whole.length <= ENDING_BYTES_MAX) return whole.toString("base64");
  const { errorType, message } = outcome;
  const errorMessage = message.slice(0, ENDING_CHARS_MAX);
  return Buffer.from(JSON.stringify({ errorType, errorMessage })).toString("base64");
}

/** What no header may hold would end it early. */
function headerText(text: string): string {
  return text.replace(/[^\t\x20-\x7e]/g, "?");
}
