/** A function of a template that is being written. */
export interface PlacedFunction {
  /** Its logical name. */
  readonly logical: string;
  /** The alias that its events go to; `undefined`: they go to the function itself. */
  readonly alias: string | undefined;
  readonly resource: { Metadata?: object; readonly Properties: Record<string, unknown> };
}

/**
 * An event of the function. SAM calls what it makes of one after the function and the event; where the name is another,
 * it stands in the function's metadata, which millrace reads.
 */
export function addEvent({ logical, resource }: PlacedFunction, name: string, event: object): void {
  const events = fieldsOf(resource.Properties["Events"]);
  const own = name.startsWith(logical) ? name.slice(logical.length) : "";
  const isOwn = /^[A-Za-z0-9]+$/.test(own) && !(own in events);
  const key = isOwn ? own : freeKey(name, events);
  resource.Properties["Events"] = { ...events, [key]: event };
  if (isOwn) return;
  const metadata = fieldsOf(fieldsOf(resource.Metadata)["Millrace"]);
  resource.Metadata = { Millrace: { Events: { ...fieldsOf(metadata["Events"]), [key]: name } } };
}

/** A function, or its version or alias. */
export function withQualifier(reference: object, qualifier: string | undefined): object {
  return qualifier === undefined ? reference : { "Fn::Join": [":", [reference, qualifier]] };
}

function freeKey(name: string, taken: object): string {
  const clean = name.replaceAll(/[^A-Za-z0-9]/g, "") || "Event";
  let key = clean;
  for (let number = 2; key in taken; number++) key = `${clean}${number}`;
  return key;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
