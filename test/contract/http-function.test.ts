import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createHttpFunction } from "../../src/functions/http.ts";
import { describeFunctionTargetContract } from "./function-target.ts";
import type { Behaviour, FunctionTask } from "./function-target-run.ts";
import { writePieces } from "./piece-writer.ts";

const SUPPORTED: readonly Behaviour[] = [
  "echo",
  "returnNull",
  "returnBytes",
  "returnText",
  "throw",
  "hang",
  "trickle",
  "reset",
  "stream",
  "throttle",
  "refuse",
  "rejectSize",
];

describeFunctionTargetContract("an HTTP function", {
  supports: new Set(SUPPORTED),
  async create() {
    let executions = 0;
    const server = createServer((request, response) => {
      executions += 1;
      perform(request, response).catch(() => response.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const target = createHttpFunction({ url: `http://127.0.0.1:${port}/`, connections: 16 });
    return {
      target,
      executions: () => executions,
      async close() {
        await target.close();
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  },
});

async function perform(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const event = Buffer.concat(chunks).toString();
  const task: FunctionTask = JSON.parse(event);
  switch (task.task) {
    case "echo":
      response.end(event);
      break;
    case "returnNull":
      response.end("null");
      break;
    case "returnBytes":
      response.end(`"${"x".repeat(task.bytes - 2)}"`);
      break;
    case "returnText":
      response.end(task.text);
      break;
    case "throw":
      response.setHeader("X-Amz-Function-Error", "Unhandled");
      response.end(JSON.stringify({ errorType: task.errorType, errorMessage: task.message }));
      break;
    case "trickle": {
      const timer = setInterval(() => response.write(" "), 20);
      response.on("close", () => clearInterval(timer));
      break;
    }
    case "reset":
      request.socket.resetAndDestroy();
      break;
    case "stream":
      await stream(task, response);
      break;
    case "throttle":
      if (task.retryAfterSeconds !== undefined) response.setHeader("Retry-After", task.retryAfterSeconds);
      response.writeHead(429).end();
      break;
    case "refuse":
      response.writeHead(503).end();
      break;
    case "rejectSize":
      response.writeHead(413).end();
      break;
    case "hang":
    case "block":
    case "exit":
      break;
  }
}

const BROKEN = { errorType: "StreamError", errorMessage: "no more" };

/** By http-function.md §3. */
async function stream(
  task: Extract<FunctionTask, { readonly task: "stream" }>,
  response: ServerResponse,
): Promise<void> {
  if (task.pieces.length === 0 && task.ending === "throw") {
    response.setHeader("X-Amz-Function-Error", "Unhandled");
    response.end(JSON.stringify(BROKEN));
    return;
  }
  response.setHeader("Lambda-Runtime-Function-Response-Mode", "streaming");
  response.writeHead(200, { "Content-Type": "text/plain" });
  await writePieces(
    task,
    (text) => response.write(text),
    () => response.destroyed,
  );
  if (task.ending === "hang") return;
  if (task.ending === "exit") {
    response.write("", () => response.destroy());
    return;
  }
  if (task.ending === "throw")
    response.addTrailers({
      "Lambda-Runtime-Function-Error-Type": "StreamError",
      "Lambda-Runtime-Function-Error-Body": Buffer.from(JSON.stringify(BROKEN)).toString("base64"),
    });
  response.end();
}
