/**
 * What runs a Node handler in a process: asks the Runtime API for events, one after the other, and answers. The module
 * is loaded and its handler called as in a thread.
 */
import { flushCompileCache } from "node:module";
import { describeThrown } from "../module-failure.ts";
import { type Handler, loadHandler } from "../module-handler.ts";
import { ModuleInvocation } from "../module-invocation.ts";
import type { RuntimeDescription, RuntimeFailure, RuntimeMessage } from "../module-messages.ts";
import { installStreaming } from "../streaming-handler.ts";
import { handlerPlace } from "./handler-place.ts";
import { ResponseUpload } from "./response-upload.ts";
import { type HandedEvent, RuntimeConnection, type StreamFailure } from "./runtime-connection.ts";

const { env } = process;
/** A module is named by its path; the handler of a package by Lambda's form. */
const [, , modulePath, moduleExport = "handler"] = process.argv;
const address = env["AWS_LAMBDA_RUNTIME_API"] ?? "";
/** Events at once; each is asked for over a connection of its own. */
const lanes = Math.max(1, Number(env["AWS_LAMBDA_MAX_CONCURRENCY"] ?? 1));
const first = new RuntimeConnection(address, lanes > 1);
const description: RuntimeDescription = {
  path: "",
  exportName: "",
  functionName: env["AWS_LAMBDA_FUNCTION_NAME"] ?? "",
  functionVersion: env["AWS_LAMBDA_FUNCTION_VERSION"] ?? "$LATEST",
  memoryMb: Number(env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]),
  logGroupName: env["AWS_LAMBDA_LOG_GROUP_NAME"] ?? "",
  logStreamName: env["AWS_LAMBDA_LOG_STREAM_NAME"] ?? "",
};
/** AWS's Node runtime ends so on an error that nobody caught, and on a promise that nobody watched. */
const EXIT_UNCAUGHT = 129;
const EXIT_UNHANDLED = 128;

interface RunningEvent {
  readonly id: string;
  readonly connection: RuntimeConnection;
  readonly upload: ResponseUpload;
  onLoopEmpty(): void;
}

const running = new Set<RunningEvent>();
let isLoading = true;

process.on("beforeExit", () => {
  for (const each of [...running]) each.onLoopEmpty();
  if (isLoading) failInit({ errorType: "Runtime.NodeJsExit", message: STUCK });
});
process.on("uncaughtException", (error) => endWith(describeThrown(error), EXIT_UNCAUGHT));
process.on("unhandledRejection", (reason) => {
  const { message, stack } = describeThrown(reason);
  const failure = { errorType: "Runtime.UnhandledPromiseRejection", message };
  endWith(stack === undefined ? failure : { ...failure, stack }, EXIT_UNHANDLED);
});

const STUCK = "The module waits, while it is loaded, for something that can never come.";

installStreaming();
try {
  const { path, exportName } =
    modulePath === undefined
      ? handlerPlace(env["LAMBDA_TASK_ROOT"] ?? process.cwd(), env["_HANDLER"] ?? "")
      : { path: modulePath, exportName: moduleExport };
  const handler = await loadHandler(path, exportName);
  isLoading = false;
  next(handler, first);
  for (let lane = 1; lane < lanes; lane++) next(handler, new RuntimeConnection(address, true));
  // While the first event is waited for: those who start after it read what this one has compiled.
  setImmediate(flushCompileCache);
} catch (error) {
  failInit(describeThrown(error));
}

function next(handler: Handler, connection: RuntimeConnection): void {
  connection.next((event) => invoke(handler, connection, event), leave);
}

function invoke(handler: Handler, connection: RuntimeConnection, event: HandedEvent): void {
  // Where there are several at once it could be any of theirs.
  if (lanes === 1) env["_X_AMZN_TRACE_ID"] = event.traceId;
  const message = { ...event, ordinal: 0 };
  const id = event.requestId;
  const upload = new ResponseUpload(connection, id, leave);
  const tell = (answer: RuntimeMessage) => {
    running.delete(run);
    const failure = answer.kind === "failed" ? answer.failure : undefined;
    if (upload.isOpen) {
      const onDone = () => next(handler, connection);
      upload.end(failure && endingOf(failure), onDone, leave);
    } else {
      const onEvent = (following: HandedEvent) => invoke(handler, connection, following);
      connection.answerAndNext(id, bodyOf(answer), failure?.errorType, onEvent, leave);
    }
  };
  const invocation = new ModuleInvocation(message, tell, upload);
  const run = { id, connection, upload, onLoopEmpty: () => invocation.onLoopEmpty() };
  running.add(run);
  invocation.start(handler, description);
}

function bodyOf(answer: RuntimeMessage): Uint8Array {
  if (answer.kind === "returned") return answer.payload;
  return answer.kind === "failed" ? errorBody(answer.failure) : Buffer.from("null");
}

/** As AWS's Node runtime writes it. */
function errorBody({ errorType, message, stack }: RuntimeFailure): Buffer {
  const trace = stack === undefined || stack === "" ? [] : stack.split("\n");
  return Buffer.from(JSON.stringify({ errorType, errorMessage: message, trace }));
}

/** What stands behind the end of a stream is a head, and has a head's bound. */
function endingOf({ errorType, message, stack }: RuntimeFailure): StreamFailure {
  const body = errorBody({ errorType, message, ...(stack === undefined ? {} : { stack }) });
  if (body.length <= ENDING_BYTES_MAX) return { errorType, body };
  return { errorType, body: errorBody({ errorType, message: message.slice(0, ENDING_CHARS_MAX) }) };
}

const ENDING_BYTES_MAX = 8 * 1024;
const ENDING_CHARS_MAX = 1024;

function failInit(failure: RuntimeFailure): void {
  isLoading = false;
  first.initError(errorBody(failure), failure.errorType, () => process.exit(1), leave);
}

/** The process cannot be trusted any more: all who wait are told, and it ends. */
function endWith(failure: RuntimeFailure, status: number): void {
  const runs = [...running];
  running.clear();
  let left = Math.max(1, runs.length);
  const end = () => {
    left -= 1;
    if (left === 0) process.exit(status);
  };
  process.stderr.write(`${failure.stack ?? `${failure.errorType}: ${failure.message}`}\n`);
  for (const { id, connection, upload } of runs) {
    if (upload.isOpen) upload.end(endingOf(failure), end, end);
    else connection.answer(id, errorBody(failure), failure.errorType, end, end);
  }
  if (runs.length > 0) return;
  if (isLoading) first.initError(errorBody(failure), failure.errorType, end, end);
  else end();
}

/** Nobody is there any more who gives events. */
function leave(): void {
  process.exit(1);
}
