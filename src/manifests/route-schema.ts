import { z } from "zod";

/** The shape of a Route's `spec`. Rules between its fields are in `route-checks.ts`. */

/** Forms of AWS's HTTP events. */
export const ROUTE_SHAPES = ["url", "http1", "http2", "rest", "alb", "albMulti"] as const;
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;
/** AWS's bounds of a function URL's CORS. */
const LIST_MAX = 100;
const METHODS_MAX = 6;
const MAX_AGE_SECONDS_MAX = 86_400;

const headerName = z.string().regex(/^(?:\*|[!#$%&'*+.^_`|~0-9A-Za-z-]{1,1024})$/);

export const corsSpec = z
  .strictObject({
    allowCredentials: z
      .boolean()
      .default(false)
      .describe("Whether browsers may send cookies and other credentials."),
    allowHeaders: z
      .array(headerName)
      .max(LIST_MAX)
      .default([])
      .describe("Headers that requests may have; * for all."),
    allowMethods: z
      .array(z.enum(["*", ...METHODS]))
      .max(METHODS_MAX)
      .default([])
      .describe("Methods that web pages may use; * for all."),
    allowOrigins: z
      .array(z.string().regex(/^[\x21-\x7e]{1,253}$/))
      .max(LIST_MAX)
      .default([])
      .describe("Where pages may come from, such as https://app.example.com; * for everywhere."),
    exposeHeaders: z
      .array(headerName)
      .max(LIST_MAX)
      .default([])
      .describe("Headers of responses that pages may read."),
    maxAge: z
      .int()
      .min(0)
      .max(MAX_AGE_SECONDS_MAX)
      .optional()
      .describe("How long browsers may keep the answer to a preflight, in seconds."),
  })
  .describe(
    "What browsers let web pages of other places do; it stands in place of what the function says of it.",
  );

export const routeSpec = z
  .strictObject({
    functionName: z
      .string()
      .min(1)
      .describe("metadata.name of the function, with an alias or version behind a colon if wanted."),
    shape: z
      .enum(ROUTE_SHAPES)
      .default("url")
      .describe(
        "Form of the events and answers. url: a function URL, payload 2.0; http2 and http1: API Gateway's HTTP API, payload 2.0 and 1.0; rest: its REST API; alb and albMulti: a load balancer's target, without and with multi-value headers.",
      ),
    host: z
      .string()
      .regex(/^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/)
      .optional()
      .describe(
        "Name that requests come to, in lower case and without a port. Default: of a function URL NAME.lambda-url.REGION.localhost or NAME of --front-domain; of a route with a path every name.",
      ),
    path: z
      .string()
      .max(1_024)
      .optional()
      .describe(
        "Paths that it takes: /pets/{id}, /files/{proxy+} with all that is below, or $default for what no other route takes. The longest pattern that fits counts. Needed by every shape but url.",
      ),
    methods: z
      .array(z.enum(METHODS))
      .max(METHODS.length)
      .default([])
      .describe("Methods that it takes. Default: all."),
    stage: z
      .string()
      .regex(/^(?:\$default|[A-Za-z0-9_-]{1,128})$/)
      .default("$default")
      .describe("Stage of an HTTP or REST API: the first part of the path, unless it is $default."),
    stageVariables: z
      .record(z.string().regex(/^[A-Za-z0-9_]{1,64}$/), z.string().max(512))
      .default({})
      .describe("What events have as stageVariables."),
    authType: z
      .enum(["NONE", "AWS_IAM"])
      .default("NONE")
      .describe(
        "Who may call. AWS_IAM: callers who sign (Signature Version 4) with a key of --api-credentials that has the role invoke or write.",
      ),
    invokeMode: z
      .enum(["BUFFERED", "RESPONSE_STREAM"])
      .default("BUFFERED")
      .describe("RESPONSE_STREAM: bytes go out as the function writes them; for the shape url."),
    cors: corsSpec.optional(),
    binaryMediaTypes: z
      .array(z.string().regex(/^[a-zA-Z0-9.*+_-]{1,127}\/[a-zA-Z0-9.*+_-]{1,127}$/))
      .max(100)
      .default([])
      .describe("Types whose bodies a REST API hands over and takes back in Base64, such as image/*."),
  })
  .describe("HTTP requests from outside that invoke a function: served at the address of --front.");

export type RouteSpec = z.output<typeof routeSpec>;
