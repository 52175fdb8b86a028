/**
 * The worker thread of a module function: loads the module, then runs one invocation after another, as an execution
 * environment of Lambda does. What it does not catch ends the thread, which the other side sees.
 */
import { parentPort, workerData } from "node:worker_threads";
import { describeThrown } from "./module-failure.ts";
import { type Handler, loadHandler } from "./module-handler.ts";
import { tellImports } from "./module-imports.ts";
import { ModuleInvocation } from "./module-invocation.ts";
import type {
  EngineMessage,
  InvocationMessage,
  RuntimeDescription,
  RuntimeMessage,
  WorkerStart,
} from "./module-messages.ts";
import { captureOutput } from "./module-output.ts";
import { installStreaming, type ResponseOutlet } from "./streaming-handler.ts";

const { port, ...rest }: WorkerStart = workerData;
const runtime: RuntimeDescription = rest;
// What user code posts on the port that it can reach would pile up, or hold up the engine's thread.
Reflect.deleteProperty(workerData, "port");
parentPort?.close();
/** What the handler waits for that has written a piece of its response. */
let onTaken: { readonly ordinal: number; readonly done: () => void } | undefined;
/** The event that is worked on, or was last. */
let ordinalNow = 0;
let running: { onLoopEmpty(): void } | undefined = { onLoopEmpty: onInitStuck };

// While user code runs the port does not hold the event loop, so that an empty loop shows that nothing can come any
// more: a callback's result is then due (callbackWaitsForEmptyEventLoop), and a promise will never settle.
port.unref();
process.on("beforeExit", () => running?.onLoopEmpty());
const output = captureOutput((message) => port.postMessage(message));

const imported: string[] = [];
if (runtime.tellsImports === true) {
  tellImports((path) => {
    imported.push(path);
    port.postMessage({ kind: "imported", path });
  });
}

installStreaming();
try {
  const handler = await loadHandler(runtime.path, runtime.exportName, imported);
  port.on("message", (message: EngineMessage) => {
    if (message.kind === "event") invoke(handler, message);
    else if (onTaken?.ordinal === message.ordinal) takeMore(onTaken.done);
  });
  settle({ kind: "ready" });
} catch (error) {
  settle({ kind: "initFailed", failure: describeThrown(error) });
}

function invoke(handler: Handler, message: InvocationMessage): void {
  port.unref();
  output.restart();
  process.env["_X_AMZN_TRACE_ID"] = message.traceId;
  ordinalNow = message.ordinal;
  const outlet = message.isStreamed === true ? outletOf(message.ordinal) : undefined;
  const invocation = new ModuleInvocation(message, settle, outlet);
  running = invocation;
  invocation.start(handler, runtime);
}

function settle(message: RuntimeMessage): void {
  running = undefined;
  port.ref();
  if (message.kind === "returned") port.postMessage(message, [message.payload.buffer as ArrayBuffer]);
  else port.postMessage(message);
}

/** One piece at a time. Until it is taken something can still come: the port holds the event loop. */
function outletOf(ordinal: number): ResponseOutlet {
  return {
    open: (contentType) => port.postMessage({ kind: "opened", ordinal, contentType }),
    write(piece, done) {
      // A handler that has failed may still write.
      if (running === undefined || ordinal !== ordinalNow) {
        done();
        return;
      }
      port.ref();
      onTaken = { ordinal, done };
      // Memory of its own, which can be handed over: a small piece stands in memory that is shared.
      const chunk = new Uint8Array(piece);
      port.postMessage({ kind: "wrote", ordinal, chunk } satisfies RuntimeMessage, [chunk.buffer]);
    },
  };
}

function takeMore(done: () => void): void {
  onTaken = undefined;
  // What has answered meanwhile waits for the next event.
  if (running !== undefined) port.unref();
  done();
}

function onInitStuck(): void {
  const message = "The module waits, while it is loaded, for something that can never come.";
  settle({ kind: "initFailed", failure: { errorType: "Runtime.NodeJsExit", message } });
}
