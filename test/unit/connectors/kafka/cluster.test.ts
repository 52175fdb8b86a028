import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { prepareAccess } from "../../../../connectors/kafka/access.ts";
import { KafkaCluster } from "../../../../connectors/kafka/cluster.ts";
import { KafkaFault } from "../../../../connectors/kafka/fault.ts";
import { Secret } from "../../../../src/secrets/secret.ts";
import { rejectsWith } from "../../../contract/rejects-with.ts";
import { NO_ABORT } from "../../../contract/stream-source-harness.ts";

const sasl = { mechanism: "SCRAM-SHA-512", username: "u", password: new Secret("p") } as const;

test("a user is never sent over plain text", async () => {
  await rejectsWith("ERR_MILLRACE_CONFIG", async () => prepareAccess({ sasl }));
  assert.deepEqual(prepareAccess({ sasl, tls: {} }).sasl, sasl);
});

test("certificates of brokers are verified, from TLS 1.2 on", () => {
  const { tls } = prepareAccess({ tls: {} });
  assert.deepEqual([tls?.rejectUnauthorized, tls?.minVersion], [true, "TLSv1.2"]);
});

for (const address of ["broker", "broker:", "broker:99999", ":9092", "a:b:1", "::1:9092", ""]) {
  test(`"${address}" is no address of a broker`, () => {
    assert.throws(() => clusterOf(address), /give host:port/);
  });
}

test("an IPv6 address stands in brackets", () => {
  clusterOf("[::1]:9092").close();
});

test("a broker that ends the connection is unreachable, and the call does not hang", async () => {
  await using server = await listen((socket) => socket.end());
  const cluster = clusterOf(server.address);
  await assert.rejects(
    cluster.topic("orders", NO_ABORT),
    (error: unknown) =>
      error instanceof KafkaFault && error.reason === "unreachable" && error.message.includes(server.address),
  );
  cluster.close();
});

test("bytes that are no Kafka are a fault, no crash", async () => {
  await using server = await listen((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  const cluster = clusterOf(server.address);
  await assert.rejects(cluster.topic("orders", NO_ABORT), KafkaFault);
  cluster.close();
});

test("the next bootstrap server is asked when the first is gone", async () => {
  let calls = 0;
  await using alive = await listen((socket) => {
    calls++;
    socket.end();
  });
  const gone = await listen(() => undefined);
  await gone[Symbol.asyncDispose]();
  const cluster = clusterOf(gone.address, alive.address);
  await assert.rejects(cluster.topic("orders", NO_ABORT), KafkaFault);
  assert.equal(calls, 1);
  cluster.close();
});

test("a call to a broker that is silent is ended by its caller, and by closing", async () => {
  let arrived = () => {};
  const connected = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  await using server = await listen(() => arrived());
  const cluster = clusterOf(server.address);
  const stop = new AbortController();
  const aborted = cluster.topic("orders", stop.signal);
  await connected;
  stop.abort();
  await rejectsWith("ERR_MILLRACE_ABORTED", () => aborted);
  const waiting = cluster.topic("orders", NO_ABORT);
  cluster.close();
  await assert.rejects(waiting, (error: unknown) => error instanceof KafkaFault && error.reason === "closed");
  await assert.rejects(cluster.topic("orders", NO_ABORT), /closed/);
});

function clusterOf(...bootstrap: readonly string[]): KafkaCluster {
  return new KafkaCluster({ bootstrap, access: {}, clientId: "test" });
}

interface Listening extends AsyncDisposable {
  readonly address: string;
}

async function listen(onConnection: (socket: Socket) => void): Promise<Listening> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return {
    address: `127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

for (const [what, address, reach, reason] of [
  ["a literal of the metadata service", "169.254.169.254:9092", { allowsLoopback: true }, /link-local/],
  ["a literal of loopback", "127.0.0.1:9", { allowsLoopback: false }, /on loopback/],
  ["a name that resolves to loopback", "localhost:9", { allowsLoopback: false }, /on loopback/],
  [
    "an IPv6 literal that stands for one of IPv4",
    "[::ffff:127.0.0.1]:9",
    { allowsLoopback: false },
    /on loopback/,
  ],
  [
    "a name that is not listed",
    "localhost:9",
    { allowsLoopback: true, hosts: ["kafka.internal"] },
    /--broker-hosts/,
  ],
] as const) {
  test(`${what} is not called for a mapping of the API, and says why`, async () => {
    const cluster = new KafkaCluster({ bootstrap: [address], access: {}, clientId: "millrace", reach });
    await assert.rejects(
      cluster.topic("orders", NO_ABORT),
      (error: unknown) =>
        error instanceof KafkaFault && reason.test(error.message) && !/advertised/.test(error.message),
    );
    cluster.close();
  });
}

test("a name within reach is called", async () => {
  let calls = 0;
  await using server = await listen((socket) => {
    calls++;
    socket.end();
  });
  const bootstrap = [server.address.replace("127.0.0.1", "localhost")];
  const reach = { allowsLoopback: true, hosts: ["localhost"] };
  const cluster = new KafkaCluster({ bootstrap, access: {}, clientId: "millrace", reach });
  await assert.rejects(cluster.topic("orders", NO_ABORT), KafkaFault);
  assert.ok(calls > 0);
  cluster.close();
});
