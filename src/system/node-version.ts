/** The oldest Node that all of this runs on: SQLite is part of it, and types are stripped by it. */
const NODE_MAJOR_MIN = 24;

/**
 * What to say to whoever runs this on a Node that is too old; `undefined`: it is not. Imports nothing, so that any Node
 * gets here.
 */
export function nodeTooOld(version: string): string | undefined {
  const major = Number.parseInt(version, 10);
  if (major >= NODE_MAJOR_MIN) return undefined;
  return `millrace: Node ${NODE_MAJOR_MIN} or newer is needed, and this is Node ${version}. Install it from https://nodejs.org, or run the image.`;
}
