import { fileURLToPath } from "node:url";
import { MongoClient } from "mongodb";
import { freePort, type ServerProcess, startServerProcess } from "../server-process.ts";

const PROGRAM = fileURLToPath(new URL("twin-process.ts", import.meta.url));

export interface TwinProcess extends ServerProcess {
  /** To write with, and to ask for failures. */
  readonly client: MongoClient;
}

/** A twin that keeps what it has while whoever reads it is killed. */
export async function startTwin(): Promise<TwinProcess> {
  const port = await freePort();
  const endpoint = `mongodb://127.0.0.1:${port}/?tls=false`;
  const client = new MongoClient(endpoint, { serverSelectionTimeoutMS: 2_000 });
  const server = await startServerProcess({
    name: "the twin of MongoDB",
    args: [PROGRAM, String(port)],
    endpoint,
    isReady: () =>
      client.db("admin").command({ ping: 1 }).then(
        () => true,
        () => false,
      ),
  });
  return {
    ...server,
    client,
    async close() {
      await client.close();
      await server.close();
    },
  };
}
