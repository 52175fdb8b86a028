/** What runs a handler, or a program, without a command of its own. */
export type RuntimeFamily = "nodejs" | "python" | "provided";

/** `nodejs24.x`, `python3.13`, `provided.al2023`. `undefined`: it needs a command. */
export function runtimeFamily(runtime: string): RuntimeFamily | undefined {
  if (/^nodejs\d{2}\.x$/.test(runtime)) return "nodejs";
  if (/^python3\.\d{1,2}$/.test(runtime)) return "python";
  return /^provided(?:\.al2|\.al2023)?$/.test(runtime) ? "provided" : undefined;
}
