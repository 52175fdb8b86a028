/**
 * How answers that come with every page or batch are asked for and read: by hand, or by the AWS SDK, which is the way
 * back when a service answers in a form that only the SDK knows.
 */
export type AwsReadPath = "hand" | "sdk";

let chosen: AwsReadPath = "hand";

/** For the whole process, before anything is read. */
export function chooseReadPath(path: AwsReadPath): void {
  chosen = path;
}

export function readPath(): AwsReadPath {
  return chosen;
}
