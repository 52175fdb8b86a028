/**
 * The lane of a key: the same in every process and version, since a hand-over between versions must keep a key's order.
 * FNV-1a over UTF-16 code units, then murmur3's finaliser: FNV's low bits alone spread short keys badly.
 */
export function laneOfKey(key: string, lanes: number): number {
  if (lanes === 1) return 0;
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index++) {
    hash ^= key.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  hash ^= hash >>> 16;
  return (hash >>> 0) % lanes;
}
