import type { AddressInfo } from "node:net";
import type { Listener } from "./listener.ts";
import { RuntimeExchange } from "./runtime-exchange.ts";
import { createWireServer } from "./wire-server.ts";

/** An address of 127.0.0.1 for each process, which ends with it. */
export const HTTP_LISTENER: Listener = {
  open(api, onOpen) {
    const { server, close } = createWireServer((request) => new RuntimeExchange(api, request).answer());
    server.once("error", onOpen);
    server.listen({ port: 0, host: "127.0.0.1", exclusive: true }, () => {
      server.off("error", onOpen);
      // A listener that fails later hears no more: its process ends on that.
      server.on("error", () => {});
      onOpen({ address: `127.0.0.1:${(server.address() as AddressInfo).port}`, close });
    });
  },
};
