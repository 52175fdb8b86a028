import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { KafkaCluster } from "../../../../connectors/kafka/cluster.ts";
import { KafkaFault } from "../../../../connectors/kafka/fault.ts";
import { KafkaGroup } from "../../../../connectors/kafka/kafka-group.ts";
import { NO_ABORT } from "../../../contract/stream-source-harness.ts";
import { cannedLog, startCannedBroker } from "./canned-broker.ts";

const ALERT = Buffer.from([0x15, 3, 3, 0, 2, 2, 40]);
const OTHERS: readonly (readonly [what: string, answer: (socket: Socket) => void])[] = [
  ["a web server answers", (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")],
  ["a server of TLS answers", (socket) => socket.end(ALERT)],
  ["nobody stays on the line", (socket) => socket.destroy()],
];

for (const [what, answer] of OTHERS) {
  test(`a coordinator at whose address ${what} is looked for anew: it may be elsewhere by now`, async (t) => {
    const other = createServer((socket) => {
      socket.on("error", () => undefined).once("data", () => answer(socket));
    }).listen(0, "127.0.0.1");
    t.after(() => other.close());
    await once(other, "listening");
    const advertised = { host: "127.0.0.1", port: (other.address() as AddressInfo).port };
    const log = [cannedLog([])];
    await using broker = await startCannedBroker({ topic: "orders", partitions: log, advertised });
    const cluster = new KafkaCluster({ bootstrap: [broker.address], access: {}, clientId: "test" });
    t.after(() => cluster.close());
    const group = new KafkaGroup({ cluster, groupId: "g", topic: "orders" });
    await assert.rejects(group.committed([0], NO_ABORT), (error: Error) => error.cause instanceof KafkaFault);
    advertised.port = broker.port;
    assert.deepEqual(await group.committed([0], NO_ABORT), new Map());
  });
}
