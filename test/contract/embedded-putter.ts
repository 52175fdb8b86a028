/**
 * Run as a process of its own, `embedded-putter.ts MODULE FUNCTION ENDPOINT PLACE NAME`: puts one item after the other
 * into an embedded source, and prints each once it was answered as stored, until it is killed.
 */
const [module = "", make = "", endpointName = "", at = "", name = ""] = process.argv.slice(2);
/** Of a test that does not kill it. */
const ITEMS_MAX = 100_000;

const sources = (await import(module))[make](endpointName);
const keeper = await sources.open(at, false);
for (let item = 1; item <= ITEMS_MAX; item++) {
  const text = String(item);
  const [outcome] = await keeper.put(name, [
    { key: text, data: Buffer.from(text), body: text, groupId: "g" },
  ]);
  if (outcome?.kind !== "stored") throw new Error(`${text} was answered with ${JSON.stringify(outcome)}`);
  await new Promise((resolve) => process.stdout.write(`${text}\n`, resolve));
}
await keeper.close();
