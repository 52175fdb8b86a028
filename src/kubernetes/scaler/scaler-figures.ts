import { createServer, type Server } from "node:http";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Demand } from "../../control/demand/demand.ts";
import { describeError, MillraceError } from "../../model/errors.ts";
import type { ScalerWatch } from "./scaler-watch.ts";

/** Metrics of a scaler, and its health, for whoever asks. */
export class ScalerFigures {
  readonly #registry = new Registry();
  readonly #looks = new Counter({
    name: "millrace_scaler_looks_total",
    help: "Looks at the store and at the sources of its mappings, by outcome.",
    labelNames: ["outcome"] as const,
    registers: [this.#registry],
  });
  readonly #lookSeconds = new Histogram({
    name: "millrace_scaler_look_seconds",
    help: "How long a look took.",
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 3, 10],
    registers: [this.#registry],
  });
  readonly #elements = new Gauge({
    name: "millrace_scaler_waiting_elements",
    help: "Records and messages that wait, as sources count them; a shard that counts none is one.",
    labelNames: ["mapping"] as const,
    registers: [this.#registry],
  });
  readonly #unsure = new Gauge({
    name: "millrace_scaler_unknown_sources",
    help: "What cannot be asked, and is taken to be something.",
    registers: [this.#registry],
  });
  readonly #processes = new Gauge({
    name: "millrace_scaler_living_processes",
    help: "Processes of the store that live.",
    registers: [this.#registry],
  });

  looked(outcome: "read" | "failed", demand: Demand | undefined, tookMs: number): void {
    this.#looks.inc({ outcome });
    this.#lookSeconds.observe(tookMs / 1_000);
    if (demand === undefined) return;
    this.#elements.reset();
    for (const { name, elements } of demand.mappings) this.#elements.set({ mapping: name }, elements);
    this.#unsure.set(demand.unsure.length);
    this.#processes.set(demand.processes.length);
  }

  /** @throws MillraceError ERR_MILLRACE_CONFIG when the address cannot be used */
  async serve(
    { host, port }: { readonly host: string; readonly port: number },
    watch: Pick<ScalerWatch, "isReady" | "told">,
  ): Promise<Server> {
    const server = createServer({ requestTimeout: 10_000, maxHeaderSize: 8_192 }, (request, response) => {
      const answer = (code: number, text: string, type = "text/plain") =>
        response.writeHead(code, { "content-type": type }).end(text);
      request.resume();
      if (request.url === "/healthz") answer(200, "ok\n");
      else if (request.url === "/readyz")
        answer(watch.isReady ? 200 : 503, watch.isReady ? "ok\n" : "nothing was seen yet\n");
      else if (request.url === "/status")
        answer(200, `${JSON.stringify({ triggers: watch.told() })}\n`, "application/json");
      else if (request.url === "/metrics") {
        const shown = this.#registry.metrics();
        shown.then(
          (text) => answer(200, text, this.#registry.contentType),
          (error: unknown) => answer(500, `${describeError(error)}\n`),
        );
      } else answer(404, "There are /metrics, /status, /healthz and /readyz.\n");
    });
    server.maxConnections = 100;
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) => reject(cannotListen(`${host}:${port}`, error)));
      server.listen(port, host, resolve);
    });
    return server;
  }
}

function cannotListen(address: string, error: Error): MillraceError {
  const message = `Metrics cannot be served at ${address}: ${error.message}. Give another address by --metrics.`;
  return new MillraceError("ERR_MILLRACE_CONFIG", message);
}
