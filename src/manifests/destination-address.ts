import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { SourceDestination } from "../ports/connector-parameters.ts";
import type { DestinationKind } from "../ports/destination-kind.ts";

/** A failure destination, taken apart. `uri` is its one spelling: mappings with the same share the destination. */
export type DestinationAddress =
  | { readonly kind: "file"; readonly uri: string; readonly path: string }
  /** The operator brings its kind. */
  | { readonly kind: "brought"; readonly uri: string; readonly by: DestinationKind }
  /** A part of the source that the mapping reads: its connector opens it. */
  | { readonly kind: "source"; readonly uri: string; readonly scheme: string }
  | {
      readonly kind: "sqs";
      readonly uri: string;
      readonly arn: string;
      readonly region: string;
      readonly account: string;
      readonly queueName: string;
    }
  | { readonly kind: "sns"; readonly uri: string; readonly arn: string; readonly region: string }
  | {
      readonly kind: "s3";
      readonly uri: string;
      readonly arn: string;
      readonly partition: string;
      readonly bucket: string;
    };

/** What is wrong with a text that names no destination. */
export interface DestinationFault {
  readonly kind: "fault";
  readonly message: string;
  readonly remedy: string;
}

/**
 * Reads `destinationConfig.onFailure.destination` (streams §1.3): `file:PATH`, relative to `folder`, the ARN of a
 * standard SQS queue, a standard SNS topic or an S3 bucket, or what belongs to a source, by a scheme of its own.
 */
export function parseDestination(
  text: string,
  folder: string,
  ofSources: readonly SourceDestination[] = [],
  brought: readonly DestinationKind[] = [],
): DestinationAddress | DestinationFault {
  if (text.startsWith("file:")) return parseFile(text, folder);
  const ofSource = ofSources.find(({ scheme }) => text.startsWith(`${scheme}:`));
  if (ofSource !== undefined) return parseOfSource(text, ofSource);
  for (const by of brought) {
    const read = by.read(text, folder);
    if (read?.kind === "problem") return fault(read.problem, `Give ${by.form}`);
    if (read !== undefined) return { kind: "brought", uri: read.uri, by };
  }
  const arn = /^arn:(aws[a-zA-Z0-9-]*):([a-z0-9-]+):([a-z0-9-]*):(\d{12}|):(.*)$/s.exec(text);
  const [, partition = "", service = "", region = "", account = "", name = ""] = arn ?? [];
  switch (service) {
    case "sqs":
      if (name.endsWith(".fifo")) return fifo("an SQS queue");
      if (region === "" || account === "" || !/^[\w-]{1,80}$/.test(name)) return malformed("sqs");
      return { kind: "sqs", uri: text, arn: text, region, account, queueName: name };
    case "sns":
      if (name.endsWith(".fifo")) return fifo("an SNS topic");
      if (region === "" || account === "" || !/^[\w-]{1,256}$/.test(name)) return malformed("sns");
      return { kind: "sns", uri: text, arn: text, region };
    case "s3":
      if (region !== "" || account !== "" || !isBucketName(name)) return malformed("s3");
      return { kind: "s3", uri: text, arn: text, partition, bucket: name };
    default:
      return fault(
        "There is no failure destination of this kind",
        `Give ${[FORMS.file, ...[...ofSources, ...brought].map(({ form }) => form), ARN_FORMS].join(", ")}`,
      );
  }
}

const FORMS = {
  file: "file:PATH",
  sqs: "arn:aws:sqs:REGION:ACCOUNT:QUEUE",
  sns: "arn:aws:sns:REGION:ACCOUNT:TOPIC",
  s3: "arn:aws:s3:::BUCKET",
} as const;
const ARN_FORMS = `${FORMS.sqs}, ${FORMS.sns} or ${FORMS.s3}`;

function parseFile(text: string, folder: string): DestinationAddress | DestinationFault {
  const path = filePath(text, folder);
  if (path === undefined) return fault("The text names no file", `Give ${FORMS.file}`);
  return { kind: "file", uri: `file:${path}`, path };
}

function parseOfSource(
  text: string,
  { scheme, form, problemOf }: SourceDestination,
): DestinationAddress | DestinationFault {
  const problem = problemOf(text);
  return problem === undefined ? { kind: "source", uri: text, scheme } : fault(problem, `Give ${form}`);
}

function filePath(text: string, folder: string): string | undefined {
  if (text === "file:") return undefined;
  if (!text.startsWith("file://")) return resolve(folder, text.slice("file:".length));
  try {
    return fileURLToPath(text);
  } catch {
    return undefined;
  }
}

/** S3's rules for names; a name is also a part of the path of a request. */
function isBucketName(name: string): boolean {
  return /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !name.includes("..");
}

function fifo(what: string): DestinationFault {
  return fault(
    `A failure destination cannot be ${what} of the FIFO type`,
    `Name a standard one: without .fifo, ${ARN_FORMS}`,
  );
}

function malformed(service: "sqs" | "sns" | "s3"): DestinationFault {
  return fault("The text is not the ARN of a failure destination", `Give ${FORMS[service]}`);
}

function fault(message: string, remedy: string): DestinationFault {
  return { kind: "fault", message, remedy };
}
