import { z } from "zod";
import { aliases } from "./alias-schema.ts";
import { deadLetterConfig, invokeConfigSpec } from "./async-schema.ts";

/** The shape of a Function's `spec`. Rules between its fields are in `function-checks.ts`. */

/** Lambda's own default: a function that needs longer says so. */
export const TIMEOUT_SECONDS_DEFAULT = 3;
/** Functions that run elsewhere have it: Lambda's default concurrency of an account, which its functions share. */
export const REMOTE_CONCURRENCY_DEFAULT = 1000;
/** A module, and a function that is started as a process; Lambda's own default is 128. */
export const MEMORY_MB_DEFAULT = 512;
/** Each concurrent invocation of a module has a worker thread of its own, and that of a process a process. */
export const MODULE_CONCURRENCY_DEFAULT = 10;
/** Lambda's own. */
const EPHEMERAL_STORAGE_MB_DEFAULT = 512;
/** Environments of one process. */
const ENVIRONMENTS_MAX = 1_000;
/** Managed instances of Lambda take so many. */
const INVOCATIONS_PER_ENVIRONMENT_MAX = 1_600;

const httpTarget = z
  .strictObject({
    url: z
      .string()
      .describe(
        "http or https URL that gets each event as a POST request, for example http://127.0.0.1:9000/.",
      ),
    endpoints: z
      .strictObject({
        dns: z
          .string()
          .regex(/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/)
          .optional()
          .describe("Name that has their addresses, as a headless service does. Default: the URL's host."),
        perEndpoint: z.int().min(1).max(1_000).default(1).describe("Calls at once of each address."),
      })
      .optional()
      .describe("The function has many servers, each with an address: pods with millrace attach."),
  })
  .describe("A function behind an HTTP endpoint.");

const environment = z
  .record(z.string(), z.string())
  .optional()
  .describe("Environment variables that the function sees, besides Lambda's own and what it inherits.");

const inheritEnvironment = z
  .array(z.string().regex(/^(?!MILLRACE_)[A-Za-z_][A-Za-z0-9_]{0,254}$/))
  .max(100)
  .describe(
    "Names of variables of millrace's own environment that the function sees too. Without it: PATH, LANG, TZ, the region, proxies and NODE_EXTRA_CA_CERTS.",
  );

const credentials = z
  .string()
  .regex(/^(?:inherit|none|env:[A-Za-z_][A-Za-z0-9_]{0,127})$/)
  .describe(
    "AWS credentials of the function. none; inherit: millrace's own AWS_ variables and home folder; env:PREFIX: variables such as PREFIXAWS_ACCESS_KEY_ID of millrace's environment.",
  );

const memoryMb = z.int().min(128).max(10_240);

const moduleTarget = z
  .strictObject({
    path: z
      .string()
      .min(1)
      .describe(
        "JavaScript or TypeScript module that exports a Lambda handler; relative to the folder of this file.",
      ),
    export: z.string().min(1).default("handler").describe("Name of the exported handler."),
    environment,
    inheritEnvironment: inheritEnvironment.default([]),
    credentials: credentials.default("none"),
    memoryMb: memoryMb
      .default(MEMORY_MB_DEFAULT)
      .describe(
        "Memory of each of its processes, in MB, or of the JavaScript heap of each thread. One that goes beyond it is ended, and its call fails.",
      ),
    isolation: z
      .enum(["thread", "auto", "group", "cgroup", "wrapper"])
      .optional()
      .describe(
        "What separates it from millrace. Default: processes of its own, in a process group; auto, cgroup and wrapper as of a function with code. thread: worker threads of millrace's process, which cost less for each call; but an error that is fatal to V8, a crash of native code and malice end or reach the whole process.",
      ),
  })
  .describe("A function in a module of Node, which millrace runs.");

const lambdaTarget = z
  .strictObject({
    functionName: z
      .string()
      .min(1)
      .max(256)
      .describe(
        "Name or ARN of the function, with a version or alias behind a colon if wanted. An ARN's region is called.",
      ),
    region: z
      .string()
      .regex(/^[a-z0-9-]{1,64}$/)
      .optional()
      .describe("Region of the function. Default: the ARN's, then the AWS SDK's own rules, as AWS_REGION."),
    endpoint: z
      .string()
      .optional()
      .describe(
        "http or https URL of a service with Lambda's Invoke API, such as the Runtime Interface Emulator. Default: AWS, or AWS_ENDPOINT_URL_LAMBDA.",
      ),
  })
  .describe("A function of AWS Lambda. Credentials come by the AWS SDK's own rules.");

const customTarget = z
  .strictObject({
    kind: z.string().min(1).max(64).describe("Kind of the target, as its module calls it."),
    settings: z
      .record(z.string(), z.unknown())
      .default({})
      .describe("What the target takes, which its module checks."),
  })
  .describe(
    "A function of a kind that a module of the operator brings (MILLRACE_CONNECTORS), in place of http, lambda and module.",
  );

const codePlace = z.union([
  z.string().min(1),
  z.strictObject({ path: z.string().min(1).describe("Folder or zip, relative to the folder of this file.") }),
  z
    .strictObject({
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .describe("SHA-256 of the package, 64 hexadecimal digits."),
      bytes: z.int().min(1).describe("Its size."),
    })
    .describe("A package that stands in the store of packages."),
]);

/** How many environments a function with code has, and how many calls each takes at once. */
const scaling = z
  .strictObject({
    environments: z
      .strictObject({
        min: z
          .int()
          .min(0)
          .max(ENVIRONMENTS_MAX)
          .default(0)
          .describe("Environments that each process starts before anybody calls, and keeps."),
        max: z
          .int()
          .min(1)
          .max(ENVIRONMENTS_MAX)
          .optional()
          .describe("Environments of each process at most. Default: as many as its calls need."),
      })
      .optional()
      .describe("Environments of each process."),
    invocationsPerEnvironment: z
      .int()
      .min(1)
      .max(INVOCATIONS_PER_ENVIRONMENT_MAX)
      .default(1)
      .describe(
        "Calls that one environment takes at once, as AWS_LAMBDA_MAX_CONCURRENCY tells its client. With more than one an exit fails all of them, and a time-out ends its process when the others have ended.",
      ),
  })
  .describe("How a function with code grows.");

/** A function that millrace starts as processes: these stand in the spec itself, as Lambda's configuration does. */
const runtimeFields = {
  runtime: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe(
      "Lambda's name of what runs the code: nodejs24.x and python3.13, for example, run a handler without a package of its own; provided.al2023 runs the file bootstrap in the code. Others need a command.",
    ),
  handler: z
    .string()
    .min(1)
    .max(128)
    .regex(/^\S+$/)
    .optional()
    .describe("File and name of the handler, as on Lambda: index.handler."),
  code: codePlace
    .optional()
    .describe("Folder with the code, relative to the folder of this file, or a zip of it."),
  layers: z
    .array(codePlace)
    .max(5)
    .optional()
    .describe("Folders or zips as of Lambda's layers, in their order."),
  command: z
    .array(z.string().max(4_096))
    .min(1)
    .max(100)
    .optional()
    .describe(
      "Program and arguments that are started in the folder of the code and speak Lambda's Runtime API, in place of what the runtime says.",
    ),
  scaling: scaling.optional(),
  isolation: z
    .enum(["auto", "group", "cgroup", "wrapper"])
    .optional()
    .describe(
      "What separates its processes from others. group, the default: a process group, watched; cgroup: walls of Linux's control groups; wrapper: the command in MILLRACE_ISOLATION_WRAPPER; auto: cgroup where this machine has it, else group. A function whose level is not here cannot be opened.",
    ),
  ephemeralStorageMb: z
    .int()
    .min(EPHEMERAL_STORAGE_MB_DEFAULT)
    .max(10_240)
    .optional()
    .describe(
      `What may stand in an environment's own folder, in MB; default ${EPHEMERAL_STORAGE_MB_DEFAULT}. One that has more is ended.`,
    ),
  environment,
  inheritEnvironment: inheritEnvironment.optional(),
  credentials: credentials.optional(),
  memoryMb: memoryMb
    .optional()
    .describe(
      `Memory of one environment of a function with code, in MB; default ${MEMORY_MB_DEFAULT}. A process that goes beyond it is ended.`,
    ),
};

const targets = {
  http: httpTarget.optional(),
  module: moduleTarget.optional(),
  lambda: lambdaTarget.optional(),
  custom: customTarget.optional(),
  ...runtimeFields,
};

/** Fields of a function's spec, or a version's, that say what runs. */
export const TARGET_FIELDS: readonly string[] = Object.keys(targets);
/** Those that say nothing without code. */
export const FIELDS_OF_CODE: readonly string[] = Object.keys(runtimeFields).filter(
  (field) => field !== "code",
);

const timeoutSeconds = z.int().min(1).max(900);

const versions = z
  .record(
    z.string().regex(/^[1-9][0-9]{0,9}$/),
    z
      .strictObject({
        ...targets,
        deadLetterConfig,
        timeoutSeconds: timeoutSeconds
          .optional()
          .describe("How long one invocation of this version may take, in seconds. Default: the function's."),
      })
      .describe("What to invoke as this version. Exactly one of http, lambda, module and code."),
  )
  .optional()
  .describe(
    "Published versions by number, for mappings of NAME:NUMBER and for aliases. The function's own target is $LATEST.",
  );

export const functionSpec = z
  .strictObject({
    ...targets,
    versions,
    aliases,
    eventInvokeConfig: invokeConfigSpec.optional(),
    deadLetterConfig,
    recursiveLoop: z
      .enum(["Terminate", "Allow"])
      .optional()
      .describe(
        "Terminate: a chain of events that has passed the function 16 times is cut, which is told. Allow: it goes on. Default: Terminate.",
      ),
    timeoutSeconds: timeoutSeconds
      .default(TIMEOUT_SECONDS_DEFAULT)
      .describe("How long one invocation may take, in seconds. Beyond it the invocation fails."),
    reservedConcurrency: z
      .int()
      .min(0)
      .max(10_000)
      .optional()
      .describe(
        `Invocations that run at once, over all callers of the function in all processes of a store; more wait their turn, each mapping for its even share. 0: none, what comes waits. Absent: each process has its own bound, ${REMOTE_CONCURRENCY_DEFAULT} for http and lambda, ${MODULE_CONCURRENCY_DEFAULT} for module and code.`,
      ),
    adaptiveConcurrency: z
      .boolean()
      .default(false)
      .describe(
        "True: fewer invocations at once, down to one, while the function refuses them (429, unavailable) or takes twice as long as usual, and more again step by step, up to reservedConcurrency.",
      ),
    errorDetails: z
      .enum(["full", "type"])
      .default("full")
      .describe(
        "What is kept and shown of its failures. full: type, message, stack and the end of what it printed, redacted, for the terminal and callers with the role inspect; type: the error's type and id alone.",
      ),
  })
  .describe("What to invoke, and its bounds. Exactly one of http, lambda, module and code.");
