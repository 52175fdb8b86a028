import { after } from "node:test";

/** A server of a whole test file: started with the first test that needs it, and closed behind the last. */
export function shared<T extends { close(): Promise<void> }>(start: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | undefined;
  after(async () => await (await started)?.close());
  return () => {
    started ??= start();
    return started;
  };
}
