interface Family {
  readonly operations: RegExp;
  /** What to do in its place. */
  readonly instead: string;
}

/** By what they are of; the first that matches counts. */
const FAMILIES: readonly Family[] = [
  {
    operations: /Layer/,
    instead:
      "There are no layers by ARN. Put the layer's files into the function's zip, or declare the function in a manifest, whose layers are folders and zips in their order.",
  },
  { operations: /CodeSigning/, instead: "No code is signed here: check signatures before the code is sent." },
  {
    operations: /ScalingConfig$/,
    instead:
      "Only functions on capacity providers have it. Say scaling.environments in the function's manifest, or use PutProvisionedConcurrencyConfig and PutFunctionConcurrency.",
  },
  { operations: /CapacityProvider/, instead: "Functions run on millrace's own hosts." },
  { operations: /Durable/, instead: "Durable functions are not served." },
  {
    operations: /ResourcePolicy/,
    instead: "Use AddPermission, GetPolicy and RemovePermission, which keep and show statements.",
  },
];

/** What a caller of an operation that is not served may do in its place; `undefined`: nothing is known. */
export function remedyOf(operation: string): string | undefined {
  return FAMILIES.find(({ operations }) => operations.test(operation))?.instead;
}
