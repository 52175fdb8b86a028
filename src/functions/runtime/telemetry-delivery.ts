import { request } from "node:http";
import { connect } from "node:net";
import type { SendTelemetry } from "./telemetry-buffer.ts";
import type { TelemetrySubscription } from "./telemetry-subscription.ts";

/** A subscriber that takes longer has not got it. */
const SEND_MS_MAX = 2_000;

/** To a subscriber on this machine: an array of JSON over HTTP, or a line each over TCP (invocation §5). */
export function telemetrySender({ protocol, port, path }: TelemetrySubscription): SendTelemetry {
  if (protocol === "TCP") return (records) => sendLines(port, records);
  return (records) => post(port, path, records);
}

function post(port: number, path: string, records: readonly string[]): Promise<boolean> {
  const body = Buffer.from(`[${records.join(",")}]`);
  return new Promise((resolve) => {
    const sent = request(
      {
        ...{ host: "127.0.0.1", port, path, method: "POST", timeout: SEND_MS_MAX },
        headers: { "Content-Type": "application/json", "Content-Length": body.length },
      },
      (response) => {
        response.resume();
        resolve((response.statusCode ?? 500) < 300);
      },
    );
    sent.once("timeout", () => sent.destroy());
    sent.on("error", () => resolve(false));
    sent.once("close", () => resolve(false));
    sent.end(body);
  });
}

function sendLines(port: number, records: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.setTimeout(SEND_MS_MAX, () => socket.destroy());
    socket.on("error", () => {});
    socket.once("close", (hadError) => resolve(!hadError && socket.bytesWritten > 0));
    socket.end(`${records.join("\n")}\n`);
    socket.resume();
  });
}
