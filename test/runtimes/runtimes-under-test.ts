import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { installPython } from "../servers/aws-cli.ts";
import { SHORT_LIVED } from "../servers/java-options.ts";
import { type BuiltClient, buildClient, type ClientRecipe } from "./built-client.ts";

/** A function of `clients`, as a manifest names it. */
export interface FunctionCode {
  readonly runtime: string | undefined;
  readonly handler: string | undefined;
  readonly command: readonly string[] | undefined;
  readonly codeFolder: string;
}

export interface RuntimeUnderTest {
  readonly name: string;
  readonly client: string;
  readonly code: FunctionCode | undefined;
  /** Why it has no code: what this machine lacks. */
  readonly missing: string | undefined;
  /** What its client says of `fail`, as AWS recorded it, but for what is of the machine. */
  readonly fault: Fault;
  /** What is told of a start that fails. */
  readonly startFault: StartFault;
  /** Code that streams its response. */
  readonly streaming: FunctionCode | undefined;
  /** Its client ends the process when a response is refused for its size, as on Lambda. */
  readonly endsWhenTooLarge: boolean;
  /** Its client leaves members out that are null. */
  readonly dropsNulls?: boolean;
}

export interface Fault {
  readonly errorType: string;
  readonly members: readonly string[];
}

export interface StartFault {
  readonly errorType: string;
  readonly message: RegExp;
}

const CLIENTS = join(import.meta.dirname, "clients");
const EXITS = "Runtime.ExitError";

const GO: ClientRecipe = {
  name: "go",
  tool: ["go", "version"],
  fetch: [["go", "mod", "download"]],
  build: [
    ["go", "build", "-tags", "lambda.norpc", "-trimpath", "-o", "out/bootstrap", "."],
    // Events as AWS recorded them come with its library.
    [
      "sh",
      "-c",
      'cp -R "$(go list -m -f "{{.Dir}}" github.com/aws/aws-lambda-go)/events/testdata" out/events',
    ],
    ["chmod", "-R", "u+w", "out"],
  ],
};

const JAVA: ClientRecipe = {
  name: "java",
  tool: ["mvn", "--version"],
  fetch: [
    [
      "mvn",
      "-q",
      "-B",
      "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies",
      "-DoutputDirectory=out/lib",
    ],
  ],
  build: [["javac", "-cp", "out/lib/*", "-d", "out/classes", "Handler.java"]],
};

const RUST: ClientRecipe = {
  name: "rust",
  tool: ["cargo", "--version"],
  fetch: [["cargo", "fetch"]],
  build: [
    ["cargo", "build", "--release", "--offline"],
    ["cp", "target/release/bootstrap", "out/bootstrap"],
  ],
};

/** Its client tells the name of the type that it is given. */
const RUST_ERROR = "&alloc::boxed::Box<dyn core::error::Error + core::marker::Send + core::marker::Sync>";

const AWSLAMBDARIC = "4.2.2";

/** `MILLRACE_TEST_RUNTIMES=node,python,go`: these, and nothing else is built. */
const WANTED = process.env["MILLRACE_TEST_RUNTIMES"]?.split(",");
const NOT_WANTED = "MILLRACE_TEST_RUNTIMES does not name it";

export async function runtimesUnderTest(): Promise<readonly RuntimeUnderTest[]> {
  const builders = [ofNode, ofPython, ofAwsPython, ofGo, ofJava, ofRust];
  return await Promise.all(builders.map((build) => build()));
}

/** The folder of events that AWS recorded; `missing` where they cannot be fetched. */
export function recordedEvents(): BuiltClient {
  const built = buildClient(GO);
  return "missing" in built ? built : { folder: join(built.folder, "events") };
}

function ofNode(): RuntimeUnderTest {
  const codeFolder = join(CLIENTS, "node");
  const code = { runtime: "nodejs24.x", handler: "index.handler", command: undefined, codeFolder };
  return {
    name: "node",
    client: "Millrace's client for Node",
    code: isWanted("node") ? code : undefined,
    missing: isWanted("node") ? undefined : NOT_WANTED,
    fault: { errorType: "Error", members: ["errorMessage", "errorType", "trace"] },
    startFault: { errorType: "RangeError", message: /broken at its start/ },
    streaming: { ...code, handler: "index.streamed" },
    endsWhenTooLarge: false,
  };
}

const PYTHON_FAULT: Pick<RuntimeUnderTest, "fault" | "startFault" | "streaming" | "endsWhenTooLarge"> = {
  fault: { errorType: "Exception", members: ["errorMessage", "errorType", "requestId", "stackTrace"] },
  startFault: { errorType: "RuntimeError", message: /broken at its start/ },
  streaming: undefined,
  endsWhenTooLarge: false,
};

function ofPython(): RuntimeUnderTest {
  const hasPython = spawnSync("python3", ["--version"]).status === 0;
  const missing = isWanted("python") ? (hasPython ? undefined : "python3 is not on the PATH") : NOT_WANTED;
  const codeFolder = join(CLIENTS, "python");
  const code = { runtime: "python3.13", handler: "app.handler", command: undefined, codeFolder };
  return {
    name: "python",
    client: "Millrace's client for Python",
    code: missing === undefined ? code : undefined,
    missing,
    ...PYTHON_FAULT,
  };
}

async function ofAwsPython(): Promise<RuntimeUnderTest> {
  const name = "awslambdaric";
  const common = { name, client: "AWS's client for Python", ...PYTHON_FAULT, endsWhenTooLarge: true };
  if (!isWanted(name)) return { ...common, code: undefined, missing: NOT_WANTED };
  try {
    const python = await installPython(name, AWSLAMBDARIC);
    const command = [python, "-m", name, "app.handler"];
    const code = { runtime: undefined, handler: "app.handler", command, codeFolder: join(CLIENTS, "python") };
    return { ...common, code, missing: undefined };
  } catch (error) {
    return { ...common, code: undefined, missing: String(error) };
  }
}

function ofGo(): RuntimeUnderTest {
  const built = builtOrNot(GO);
  const code = providedCode(built);
  return {
    name: "go",
    client: "AWS's library for Go",
    ...code,
    fault: { errorType: "errorString", members: ["errorMessage", "errorType"] },
    startFault: { errorType: EXITS, message: / Error: Runtime exited with error: exit status 2$/ },
    streaming: code.code,
    endsWhenTooLarge: true,
  };
}

function ofJava(): RuntimeUnderTest {
  const built = builtOrNot(JAVA);
  const main = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda";
  const command = ["java", ...SHORT_LIVED, "-cp", "classes:lib/*", main, "Handler::handleRequest"];
  const code =
    "missing" in built
      ? undefined
      : { runtime: undefined, handler: "Handler::handleRequest", command, codeFolder: built.folder };
  return {
    name: "java",
    client: "AWS's client for Java",
    code,
    missing: "missing" in built ? built.missing : undefined,
    fault: {
      errorType: "java.lang.IllegalArgumentException",
      members: ["errorMessage", "errorType", "stackTrace"],
    },
    startFault: { errorType: "java.lang.IllegalStateException", message: /broken at its start/ },
    streaming: undefined,
    endsWhenTooLarge: true,
    dropsNulls: true,
  };
}

function ofRust(): RuntimeUnderTest {
  const code = providedCode(builtOrNot(RUST));
  return {
    name: "rust",
    client: "AWS's crate for Rust",
    ...code,
    fault: { errorType: RUST_ERROR, members: ["errorMessage", "errorType"] },
    startFault: { errorType: EXITS, message: / Error: Runtime exited with error: exit status 1$/ },
    streaming: code.code,
    endsWhenTooLarge: false,
  };
}

function builtOrNot(recipe: ClientRecipe): BuiltClient {
  return isWanted(recipe.name) ? buildClient(recipe) : { missing: NOT_WANTED };
}

function providedCode(built: BuiltClient): Pick<RuntimeUnderTest, "code" | "missing"> {
  if ("missing" in built) return { code: undefined, missing: built.missing };
  const [runtime, command] = ["provided.al2023", undefined];
  return {
    code: { runtime, handler: "bootstrap", command, codeFolder: built.folder },
    missing: undefined,
  };
}

function isWanted(name: string): boolean {
  return WANTED === undefined || WANTED.includes(name);
}
