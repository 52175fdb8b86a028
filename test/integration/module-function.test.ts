import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  checkModuleFunction,
  createModuleFunction,
  type ModuleFunctionOptions,
} from "../../src/functions/module.ts";
import { hasErrorCode } from "../../src/model/errors.ts";
import type { InvocationOutcome } from "../../src/model/outcome.ts";

const FIXTURES = join(import.meta.dirname, "../fixtures/functions");
const NEVER = new AbortController().signal;
const folder = mkdtempSync(join(tmpdir(), "millrace-module-"));
after(() => rmSync(folder, { recursive: true }));

function optionsOf(exportName: string, more: Partial<ModuleFunctionOptions> = {}): ModuleFunctionOptions {
  return {
    functionName: "orders",
    path: join(FIXTURES, "handlers.ts"),
    exportName,
    concurrency: 2,
    onLog: () => {},
    ...more,
  };
}

function writeModule(name: string, source: string): string {
  const path = join(folder, name);
  writeFileSync(path, source);
  return path;
}

type Invoke = (event: unknown, timeoutMs?: number) => Promise<InvocationOutcome>;

async function withFunction(
  options: ModuleFunctionOptions,
  prove: (invoke: Invoke) => Promise<void>,
): Promise<void> {
  const target = createModuleFunction(options);
  const invoke: Invoke = (event, timeoutMs = 20_000) =>
    target.invoke(
      Buffer.from(JSON.stringify(event)),
      {
        requestId: "01234567-89ab-4cde-8f01-23456789abcd",
        functionName: "orders",
        functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:orders",
        deadlineMs: Date.now() + timeoutMs,
        timeoutMs,
      },
      NEVER,
    );
  try {
    await prove(invoke);
  } finally {
    await target.close();
  }
}

function resultOf(outcome: InvocationOutcome): unknown {
  assert.ok(outcome.kind === "succeeded", JSON.stringify(outcome));
  return JSON.parse(Buffer.from(outcome.payload).toString());
}

function errorOf(outcome: InvocationOutcome): { errorType: string; message: string } {
  assert.ok(outcome.kind === "functionError", JSON.stringify(outcome));
  return outcome;
}

const STYLES = [
  "asynchronous",
  "promising",
  "plain",
  "callingBack",
  "doneByContext",
  "succeedByContext",
  "handlers.asynchronous",
];
for (const style of STYLES) {
  test(`runs a handler of the style "${style}"`, async () => {
    await withFunction(optionsOf(style), async (invoke) => {
      for (const value of [{ höhe: 1 }, [], "text", 0, false]) {
        assert.deepEqual(resultOf(await invoke({ value })), value);
      }
    });
  });
}

const RESULTS: Readonly<Record<string, unknown>> = {
  "nested.deep.handler": "found",
  silent: null,
  waitingForTheLoop: { state: "late" },
  notWaitingForTheLoop: { state: "early" },
  forging: "honest",
};
for (const [exportName, expected] of Object.entries(RESULTS)) {
  test(`"${exportName}" returns ${JSON.stringify(expected)}, also the second time`, async () => {
    await withFunction(optionsOf(exportName), async (invoke) => {
      assert.deepEqual(resultOf(await invoke({})), expected);
      assert.deepEqual(resultOf(await invoke({})), expected);
    });
  });
}

test("turns an undefined result into null and a function result too, as JSON does", async () => {
  await withFunction(optionsOf("asynchronous"), async (invoke) =>
    assert.equal(resultOf(await invoke({})), null),
  );
  await withFunction(optionsOf("unserialisable"), async (invoke) => {
    assert.equal(resultOf(await invoke({ what: "function" })), null);
  });
});

test("runs a CommonJS module, and one in plain JavaScript with a default export", async () => {
  const commonJs = optionsOf("index.handler", { path: join(FIXTURES, "index.cjs") });
  await withFunction(commonJs, async (invoke) => {
    assert.deepEqual(resultOf(await invoke({ a: 1 })), { from: "commonjs", event: { a: 1 } });
  });
  const path = writeModule("default.mjs", "export default { handler: async () => 'default' };");
  await withFunction(optionsOf("handler", { path }), async (invoke) => {
    assert.equal(resultOf(await invoke({})), "default");
  });
});

test("gives the handler Lambda's context", async () => {
  await withFunction(optionsOf("describeContext", { memoryMb: 256 }), async (invoke) => {
    const context = resultOf(await invoke({}));
    assert.ok(typeof context === "object" && context !== null && "logStreamName" in context);
    const { logStreamName, ...rest } = context;
    assert.equal(typeof logStreamName, "string");
    assert.deepEqual(rest, {
      callbackWaitsForEmptyEventLoop: true,
      functionName: "orders",
      functionVersion: "$LATEST",
      invokedFunctionArn: "arn:aws:lambda:eu-west-1:123456789012:function:orders",
      memoryLimitInMB: "256",
      awsRequestId: "01234567-89ab-4cde-8f01-23456789abcd",
      logGroupName: "/aws/lambda/orders",
      remains: true,
    });
  });
});

test("gives the handler Lambda's variables and its own, and none of the engine's", async () => {
  process.env["MILLRACE_SECRET"] = "canary";
  process.env["PGPASSWORD"] = "canary";
  const names = [
    "AWS_LAMBDA_FUNCTION_NAME",
    "_HANDLER",
    "LAMBDA_TASK_ROOT",
    "TABLE",
    "MILLRACE_SECRET",
    "PGPASSWORD",
  ];
  await withFunction(optionsOf("environment", { environment: { TABLE: "orders" } }), async (invoke) => {
    const expected = ["orders", "handlers.environment", FIXTURES, "orders", null, null];
    assert.deepEqual(resultOf(await invoke({ names })), expected);
    const traced = resultOf(await invoke({ names: ["_X_AMZN_TRACE_ID"] }));
    assert.match(String(traced), /^Root=1-[0-9a-f]{8}-89ab4cde8f0123456789abcd;/);
  });
  delete process.env["MILLRACE_SECRET"];
  delete process.env["PGPASSWORD"];
});

test("keeps a module's state from call to call, as a warm Lambda does", async () => {
  await withFunction(optionsOf("counting", { concurrency: 1 }), async (invoke) => {
    assert.deepEqual([resultOf(await invoke({})), resultOf(await invoke({}))], [1, 2]);
  });
});

test("never runs two calls in one worker, nor more workers than the concurrency", async () => {
  const path = writeModule(
    "overlap.mjs",
    `import { threadId } from "node:worker_threads";
     let running = 0;
     export async function handler() {
       running += 1;
       await new Promise((resolve) => setTimeout(resolve, 2));
       const seen = running;
       running -= 1;
       return [threadId, seen];
     }`,
  );
  await withFunction(optionsOf("handler", { path, concurrency: 3 }), async (invoke) => {
    const results = (await Promise.all(Array.from({ length: 30 }, () => invoke({})))).map(
      resultOf,
    ) as number[][];
    assert.ok(results.every(([, seen]) => seen === 1));
    assert.equal(new Set(results.map(([threadId]) => threadId)).size, 3);
  });
});

const FAILURES: readonly (readonly [string, object, string, RegExp])[] = [
  ["throwingAtOnce", {}, "SyntaxError", /^at once$/],
  ["callingBackAnError", {}, "RangeError", /^called back$/],
  ["failByContext", {}, "TypeError", /^failed by context$/],
  ["throwing", { what: "text" }, "string", /^just text$/],
  ["throwing", { what: "null" }, "object", /^null$/],
  ["throwing", { what: "undefined" }, "undefined", /^undefined$/],
  ["throwing", { what: "symbol" }, "symbol", /odd/],
  ["throwing", { what: "hostile" }, "object", /cannot be described/],
  ["throwing", { what: "look-alike" }, "LookAlike", /^not an Error$/],
  ["unserialisable", { what: "bigint" }, "Runtime.MarshalError", /BigInt/],
  ["unserialisable", { what: "circle" }, "Runtime.MarshalError", /circular/],
  ["neverSettling", {}, "Runtime.NodeJsExit", /never settle/],
  ["uncaught", {}, "EvalError", /nobody catches this/],
  ["unhandled", {}, "URIError", /nobody handles this/],
];
for (const [exportName, event, errorType, message] of FAILURES) {
  test(`"${exportName}" of ${JSON.stringify(event)} is a function error of type ${errorType}, again and again`, async () => {
    await withFunction(optionsOf(exportName, { concurrency: 1 }), async (invoke) => {
      for (const attempt of [1, 2]) {
        const error = errorOf(await invoke(event));
        assert.equal(error.errorType, errorType, `attempt ${attempt}`);
        assert.match(error.message, message);
      }
    });
  });
}

const OPENED: readonly (readonly [string, string, readonly RegExp[]])[] = [
  [
    "an object that is no error is shown",
    'const order = { id: 7, lines: ["a"] }; order.self = order; throw order;',
    [/^thrown: .*\{ id: 7, lines: \[ 'a' \], self: \[Circular \*1\] \}$/],
  ],
  [
    "a cause that is no error is shown",
    'throw new Error("no price", { cause: { code: 7 } });',
    [/^Error: no price\n/, /\nCaused by: \{ code: 7 \}$/],
  ],
  [
    "errors that one is made of are told, and what caused it behind them",
    'throw new AggregateError([new Error("no ::1"), new TypeError("no 127.0.0.1")], "", { cause: new Error("down") });',
    [
      /\nOne of its errors: Error: no ::1\n/,
      /\nOne of its errors: TypeError: no 127\.0\.0\.1\n/,
      /Caused by: Error: down/,
    ],
  ],
  [
    "an object without a prototype is shown",
    "throw Object.create(null);",
    [/^thrown: \[Object: null prototype\] \{\}$/],
  ],
];
for (const [title, body, patterns] of OPENED) {
  test(`of what a handler throws ${title}`, async () => {
    const path = writeModule(
      `${title.replaceAll(/\W+/g, "-")}.mjs`,
      `export const handler = async () => { ${body} };`,
    );
    await withFunction(optionsOf("handler", { path, concurrency: 1 }), async (invoke) => {
      const outcome = await invoke({});
      assert.ok(outcome.kind === "functionError", JSON.stringify(outcome));
      for (const pattern of patterns) assert.match(outcome.detail?.stack ?? "", pattern);
    });
  });
}

for (const what of ["small objects", "a map", "a large array", "parsed JSON"]) {
  test(`a handler that fills its memory with ${what} fails its own call only`, async () => {
    await withFunction(optionsOf("outOfMemory", { memoryMb: 32, concurrency: 1 }), async (invoke) => {
      assert.equal(errorOf(await invoke({ what })).errorType, "Runtime.OutOfMemory");
    });
  });
}

test("a call that waits for a free worker until its deadline was throttled, not timed out", async () => {
  const path = writeModule(
    "slow.mjs",
    "export const handler = () => new Promise((r) => setTimeout(r, 1e6));",
  );
  await withFunction(optionsOf("handler", { path, concurrency: 1 }), async (invoke) => {
    const [first, second] = await Promise.all([invoke({}, 600), invoke({}, 200)]);
    assert.deepEqual(first, { kind: "timedOut" });
    assert.deepEqual(second, { kind: "throttled", retryAfterMs: undefined });
  });
});

test("does not use a worker again that ended while it was idle", async () => {
  const path = writeModule(
    "dies-later.mjs",
    `import { threadId } from "node:worker_threads";
     export async function handler() {
       setTimeout(() => process.exit(1), 1);
       return threadId;
     }`,
  );
  await withFunction(optionsOf("handler", { path, concurrency: 1 }), async (invoke) => {
    const threads = new Set<unknown>();
    for (let call = 0; call < 50 && threads.size < 3; call += 1) {
      const outcome = await invoke({}, 10_000);
      assert.notEqual(outcome.kind, "timedOut");
      if (outcome.kind === "succeeded") threads.add(resultOf(outcome));
      await sleep(20);
    }
    assert.equal(threads.size, 3);
  });
});

test("hands each printed line to the log, long ones in pieces", async () => {
  const lines: string[] = [];
  const onLog = (line: string, stream: string) =>
    void lines.push(`${stream}: ${line.slice(0, 30)} (${line.length})`);
  await withFunction(optionsOf("printing", { onLog }), async (invoke) => void (await invoke({})));
  const expected = [
    "stderr: to standard error (17)",
    "stdout: longlonglonglonglonglonglonglo (16384)",
    "stdout: longlonglonglonglonglonglonglo (16384)",
    "stdout: longlonglonglonglonglonglonglo (7232)",
    "stdout: to standard output (18)",
    "stdout: without an end (14)",
  ];
  assert.deepEqual(lines.toSorted(), expected);
});

test("what a handler posts on its thread's port reaches nobody: no flood, no answer in its own place", async () => {
  const path = writeModule(
    "posting.mjs",
    `import { parentPort, workerData } from "node:worker_threads";
     export async function handler() {
       const printed = { kind: "printed", stream: "stdout", text: "z".repeat(1_000) };
       for (let at = 0; at < 100_000; at += 1) parentPort.postMessage(printed);
       for (let ordinal = 0; ordinal < 9; ordinal += 1) {
         parentPort.postMessage({ kind: "returned", ordinal, payload: new Uint8Array(7_000_000) });
       }
       return Object.keys(workerData).includes("port");
     }`,
  );
  let lines = 0;
  const onLog = () => {
    lines += 1;
  };
  await withFunction(optionsOf("handler", { path, onLog }), async (invoke) => {
    const outcome = await invoke({});
    assert.ok(outcome.kind === "succeeded");
    assert.equal(Buffer.from(outcome.payload).toString(), "false");
  });
  assert.equal(lines, 0);
});

test("keeps what a handler printed before it exits, and drops what it prints without measure", async () => {
  const path = writeModule(
    "flood.mjs",
    `export function handler() {
       for (let line = 0; line < 3_000_000; line += 1) process.stdout.write("0123456789\\n");
       process.exit(0);
     }`,
  );
  let [chars, last] = [0, ""];
  const onLog = (line: string) => {
    chars += line.length;
    last = line;
  };
  await withFunction(optionsOf("handler", { path, onLog }), async (invoke) => {
    assert.equal(errorOf(await invoke({})).errorType, "Runtime.ExitError");
  });
  assert.ok(chars > 900_000 && chars < 1_200_000, `${chars} characters`);
  assert.match(last, /the rest is dropped/);
});

const UNLOADABLE: readonly (readonly [string, Partial<ModuleFunctionOptions>, RegExp])[] = [
  ["is missing", { path: join(folder, "missing.mjs") }, /Runtime.ImportModuleError.*missing\.mjs/],
  [
    "imports what is missing",
    { path: writeModule("imports.mjs", 'import "no-such-package";') },
    /Runtime.ImportModuleError.*no-such-package/,
  ],
  [
    "has a syntax error",
    { path: writeModule("syntax.mjs", "export const = 1;") },
    /Runtime.UserCodeSyntaxError.*It is at .*syntax\.mjs:\d+; "node --check .*syntax\.mjs/,
  ],
  [
    "uses TypeScript that cannot be stripped",
    { path: writeModule("enum.ts", "export enum A { B }") },
    /Runtime.UserCodeSyntaxError/,
  ],
  [
    "throws while it is loaded",
    { path: writeModule("throws.mjs", 'throw new RangeError("no table");') },
    /RangeError: .*no table/,
  ],
  [
    "exits while it is loaded",
    { path: writeModule("exits.mjs", "process.exit(0);") },
    /Runtime.ExitError: .*status 0/,
  ],
  [
    "waits for ever while it is loaded",
    { path: writeModule("waits.mjs", "await new Promise(() => {});") },
    /Runtime.NodeJsExit/,
  ],
  ["lacks the export", { exportName: "absent" }, /Runtime.HandlerNotFound: .*"absent".*asynchronous/],
  ["lacks the nested export", { exportName: "nested.shallow.handler" }, /Runtime.HandlerNotFound/],
  ["exports something else", { exportName: "notAFunction" }, /Runtime.HandlerNotFound: .*number/],
];
for (const [what, options, reason] of UNLOADABLE) {
  test(`a module that ${what} is refused by the check with a clear reason, and fails its calls`, async () => {
    await assert.rejects(checkModuleFunction(optionsOf("handler", options)), (error) => {
      assert.ok(hasErrorCode(error, "ERR_MILLRACE_FUNCTION"));
      assert.match(error.message, /^function orders cannot be started from \//);
      assert.match(error.message, reason);
      return true;
    });
    await withFunction(optionsOf("handler", options), async (invoke) => {
      const { errorType, message } = errorOf(await invoke({}));
      assert.match(`${errorType}: ${message}`, reason);
      assert.equal((await invoke({})).kind, "functionError");
    });
  });
}

test("the check accepts a module that loads, and leaves nothing running", async () => {
  await checkModuleFunction(optionsOf("asynchronous"));
});

test("refuses numbers that cannot be", () => {
  for (const wrong of [{ concurrency: 0 }, { concurrency: 1.5 }, { memoryMb: -1 }]) {
    assert.throws(
      () => createModuleFunction(optionsOf("handler", wrong)),
      (error) => hasErrorCode(error, "ERR_MILLRACE_FUNCTION"),
    );
  }
});

test("an idle pool does not keep the process alive", async () => {
  const script = writeModule(
    "idle.mts",
    `import { createModuleFunction } from ${JSON.stringify(join(import.meta.dirname, "../../src/functions/module.ts"))};
     const target = createModuleFunction(${JSON.stringify(optionsOf("asynchronous"))});
     const context = { requestId: "r", functionName: "f", functionArn: "a", deadlineMs: Date.now() + 9e4, timeoutMs: 9e4 };
     const outcome = await target.invoke(Buffer.from('{"value":1}'), context, new AbortController().signal);
     console.log(outcome.kind);`,
  );
  const child = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.on("data", (chunk: Buffer) => {
    printed += chunk.toString();
  });
  const status = await new Promise((resolve) => child.once("close", resolve));
  assert.deepEqual([status, printed], [0, "succeeded\n"]);
});
