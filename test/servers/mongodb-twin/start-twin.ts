import { fileURLToPath } from "node:url";
import { MongoClient } from "mongodb";
import { freePort, type ServerProcess, startServerProcess } from "../server-process.ts";

const PROGRAM = fileURLToPath(new URL("twin-process.ts", import.meta.url));

export interface TwinProcess extends ServerProcess {
  /** To write with, and to ask for failures; for each step-down another: the driver does not always find back. */
  connect(): MongoClient;
}

/** A twin that keeps what it has while whoever reads it is killed. */
export async function startTwin(): Promise<TwinProcess> {
  const port = await freePort();
  const endpoint = `mongodb://127.0.0.1:${port}/?tls=false`;
  const clients: MongoClient[] = [];
  const connect = () => {
    const client = new MongoClient(endpoint, { serverSelectionTimeoutMS: 10_000 });
    clients.push(client);
    return client;
  };
  const first = connect();
  const server = await startServerProcess({
    name: "the twin of MongoDB",
    args: [PROGRAM, String(port)],
    endpoint,
    isReady: () =>
      first
        .db("admin")
        .command({ ping: 1 })
        .then(
          () => true,
          () => false,
        ),
  });
  return {
    ...server,
    connect,
    async close() {
      await Promise.all(clients.map((client) => client.close()));
      await server.close();
    },
  };
}
