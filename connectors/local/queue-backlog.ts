import type { SourceBacklog } from "../../src/ports/source-backlog.ts";
import { KeeperFile } from "./keeper-file.ts";

/** @throws ERR_MILLRACE_SOURCE_NOT_FOUND when the file does not exist. */
export async function openLocalQueueBacklog(path: string, name: string): Promise<SourceBacklog> {
  const kept = await KeeperFile.open(path, false);
  return {
    async look() {
      const { visible, held, delayed } = await kept.read(({ file }) => file.openQueue(name).depth());
      const elements = visible + held + delayed;
      return { elements, parts: Math.min(1, elements) };
    },
    close: async () => kept.close(),
  };
}
