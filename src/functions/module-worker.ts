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
  InvocationMessage,
  RuntimeDescription,
  RuntimeMessage,
  WorkerStart,
} from "./module-messages.ts";
import { captureOutput } from "./module-output.ts";
import { installStreaming } from "./streaming-handler.ts";

const { port, ...rest }: WorkerStart = workerData;
const runtime: RuntimeDescription = rest;
// What user code posts on the port that it can reach would pile up, or hold up the engine's thread.
Reflect.deleteProperty(workerData, "port");
parentPort?.close();
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
  port.on("message", (message: InvocationMessage) => invoke(handler, message));
  settle({ kind: "ready" });
} catch (error) {
  settle({ kind: "initFailed", failure: describeThrown(error) });
}

function invoke(handler: Handler, message: InvocationMessage): void {
  port.unref();
  output.restart();
  process.env["_X_AMZN_TRACE_ID"] = message.traceId;
  const invocation = new ModuleInvocation(message, settle);
  running = invocation;
  invocation.start(handler, runtime);
}

function settle(message: RuntimeMessage): void {
  running = undefined;
  port.ref();
  if (message.kind === "returned") port.postMessage(message, [message.payload.buffer as ArrayBuffer]);
  else port.postMessage(message);
}

function onInitStuck(): void {
  const message = "The module waits, while it is loaded, for something that can never come.";
  settle({ kind: "initFailed", failure: { errorType: "Runtime.NodeJsExit", message } });
}
