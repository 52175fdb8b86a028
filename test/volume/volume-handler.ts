/** The handler of runs whose function is a module: looks at its event and answers nothing. */
export async function handler(event: { readonly Records?: readonly unknown[] }): Promise<null> {
  if (event.Records === undefined || event.Records.length === 0) throw new Error("an event without records");
  return null;
}
