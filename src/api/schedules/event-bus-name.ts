/** A bus may be named by its ARN. */
export function busOf(value: unknown): string {
  if (typeof value !== "string" || value === "") return "default";
  return value.startsWith("arn:") ? value.slice(value.indexOf("/") + 1) : value;
}
