/** Bounds of one statement: items, and bytes of their elements. */
const INSERT_ITEMS_MAX = 500;
const INSERT_BYTES_MAX = 4 * 1024 * 1024;

interface WithElement {
  readonly element?: Uint8Array | undefined;
}

/** Parts of a list that one statement takes, in its order. */
export function* elementChunks<Item extends WithElement>(items: readonly Item[]): Generator<readonly Item[]> {
  let chunk: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    const length = item.element?.length ?? 0;
    if (chunk.length > 0 && (chunk.length === INSERT_ITEMS_MAX || bytes + length > INSERT_BYTES_MAX)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(item);
    bytes += length;
  }
  if (chunk.length > 0) yield chunk;
}
