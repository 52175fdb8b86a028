import { type CliHost, type Command, EXIT_OK } from "./command.ts";
import { listenPlace } from "./listen-place.ts";
import { lastValue } from "./parse-flags.ts";

const RUNTIME_DEFAULT = "127.0.0.1:9001";
const SERVE_DEFAULT = "0.0.0.0:8080";

export const attachCommand: Command = {
  name: "attach",
  summary: "Serves a Lambda container image, which somebody else runs, as a function behind HTTP.",
  usage: "attach [FLAGS]",
  details: `Speaks Lambda's Runtime API to the function's process, an image that is left as it is and has
AWS_LAMBDA_RUNTIME_API=${RUNTIME_DEFAULT} in its environment, and takes events over HTTP: a Function with http.url, and
http.endpoints where there are many pods. It has one call at a time, and answers 429 to others, 503 while no process
asks for events. A process whose time is up is killed where it is seen in /proc (shareProcessNamespace); elsewhere
--health answers 503 until another one asks for events, so that a liveness probe of the function's container restarts it.`,
  flags: {
    runtime: {
      value: "HOST:PORT",
      description: `Where the function's process finds the Runtime API. Default ${RUNTIME_DEFAULT}.`,
    },
    serve: { value: "HOST:PORT", description: `Where events are posted. Default ${SERVE_DEFAULT}.` },
    health: {
      value: "HOST:PORT",
      description: "Where the container's liveness probe asks. Default: nowhere.",
    },
  },
  async run(flags, host) {
    const health = lastValue(flags, "health");
    const attached = await host.adapters.attach({
      runtime: placeOf("runtime", lastValue(flags, "runtime") ?? RUNTIME_DEFAULT),
      serve: placeOf("serve", lastValue(flags, "serve") ?? SERVE_DEFAULT),
      health: health === undefined ? undefined : placeOf("health", health),
    });
    host.stdout.write(`The Runtime API is at ${attached.runtimeAddress}, the function at ${attached.url}\n`);
    await stopped(host);
    await attached.close();
    return EXIT_OK;
  },
};

function stopped(host: CliHost): Promise<void> {
  return new Promise((resolve) => host.onStopSignal(() => resolve()));
}

function placeOf(flag: string, text: string) {
  return listenPlace(flag, text, attachCommand);
}
