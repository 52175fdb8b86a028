/** A number from 0 to below 1 that a text stands for: the same in every process, and even over texts. */
export function uniformHash(text: string): number {
  // FNV-1a, and a mixing of its bits: texts that differ at their end would be close to each other without it.
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** Whether this process is the first of those that live to try a schedule's tick: each schedule has another first. */
export function isFirst(uid: string, processId: string, living: readonly string[]): boolean {
  const own = uniformHash(`${uid} ${processId}`);
  return living.every((other) => {
    const rank = uniformHash(`${uid} ${other}`);
    return other === processId || rank < own || (rank === own && other > processId);
  });
}
