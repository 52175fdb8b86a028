import { isoSeconds } from "./failure-record.ts";
import { quoteJson } from "./json-bytes.ts";
import type { TumblingWindow } from "./record.ts";

/** What a tumbling window adds to an event behind `Records`, in AWS's order, with a comma before it (streams §6.1). */
export function encodeWindowMembers(window: TumblingWindow, eventSourceArn: string): string {
  return (
    `,"shardId":${quoteJson(window.shardId)},"eventSourceARN":${quoteJson(eventSourceArn)}` +
    `,"window":{"start":"${isoSeconds(window.startMs)}","end":"${isoSeconds(window.endMs)}"},"state":${window.stateJson}` +
    `,"isFinalInvokeForWindow":${window.isFinalInvokeForWindow},"isWindowTerminatedEarly":${window.isWindowTerminatedEarly}`
  );
}
