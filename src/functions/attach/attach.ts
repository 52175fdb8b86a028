import { createServer } from "node:http";
import { MillraceError } from "../../model/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import { AttachedListener } from "./attached-listener.ts";
import { AttachedLauncher } from "./attached-process.ts";
import { AttachedServer } from "./attached-server.ts";
import { Attachment } from "./attachment.ts";

export interface Place {
  readonly host: string;
  readonly port: number;
}

export interface AttachOptions {
  /** Where the function's process finds the Runtime API. */
  readonly runtime: Place;
  /** What the process has in `AWS_LAMBDA_RUNTIME_API`, where that is another text. */
  readonly runtimeName?: string | undefined;
  /** Where events are posted. */
  readonly serve: Place;
  /** Answers 503 while the function's container has to be ended: for its liveness probe. */
  readonly health?: Place | undefined;
  readonly clock: Clock;
}

export interface Attached {
  readonly runtimeAddress: string;
  readonly url: string;
  readonly healthUrl: string | undefined;
  /** The call that runs ends first. */
  close(): Promise<void>;
}

/**
 * A process that speaks the Runtime API, and that somebody else starts, as a function behind HTTP.
 * @throws MillraceError `ERR_MILLRACE_CONFIG` when an address cannot be used
 */
export async function attach({ clock, ...places }: AttachOptions): Promise<Attached> {
  let mustEnd = false;
  const listener = new AttachedListener(() => launcher.restarted());
  const runtimeAddress = await opened(places.runtime, () =>
    listener.listen(places.runtime.host, places.runtime.port),
  );
  const launcher = new AttachedLauncher({
    variable: `AWS_LAMBDA_RUNTIME_API=${places.runtimeName ?? runtimeAddress}`,
    clock,
    onBeyondReach: () => {
      mustEnd = true;
    },
  });
  const attachment = new Attachment({ clock, launcher, listener, createOutput: () => NO_OUTPUT });
  const server = new AttachedServer(attachment, clock);
  const health = createServer((request, response) => {
    request.resume();
    // A process that asks for events is well again, or is another one.
    if (attachment.standing !== "unready") mustEnd = false;
    response.writeHead(mustEnd ? 503 : 200).end(mustEnd ? "end it\n" : "ok\n");
  });
  try {
    const url = await opened(places.serve, () => server.listen(places.serve.host, places.serve.port));
    const healthUrl = places.health && (await listening(health, places.health));
    const close = async () => {
      await attachment.close();
      await server.close();
      listener.close();
      health.close();
      health.closeAllConnections();
    };
    return { runtimeAddress, url, healthUrl, close };
  } catch (error) {
    listener.close();
    await attachment.close();
    throw error;
  }
}

async function listening(health: ReturnType<typeof createServer>, place: Place): Promise<string> {
  return await opened(place, async () => {
    await new Promise<void>((resolve, reject) => {
      health.once("error", reject);
      health.listen(place.port, place.host, () => resolve());
    });
    const address = health.address();
    return `http://${place.host}:${typeof address === "object" ? address?.port : place.port}`;
  });
}

async function opened<T>({ host, port }: Place, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new MillraceError("ERR_MILLRACE_CONFIG", `${host}:${port} cannot be used: ${why}.`, {
      cause: error,
    });
  }
}

/** Its container's own output is where it prints. */
const NO_OUTPUT = { add: () => {}, begin: () => {}, run: () => {}, tail: "", flush: () => {} };
