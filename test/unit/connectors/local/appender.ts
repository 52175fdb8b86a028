import { openLocalStream } from "../../../../connectors/local/stream-file.ts";

/** Run as a process of its own: appends `batches` batches of ten records of one key, numbered from 0. */
const [path = "", key = "", batches = "0"] = process.argv.slice(2);
const stream = openLocalStream(path, "orders");
let next = 0;
for (let batch = 0; batch < Number(batches); batch++) {
  const records = Array.from({ length: 10 }, () => ({ partitionKey: key, data: String(next++) }));
  stream.append(records);
  if (batch === 0) process.stdout.write("begun\n");
}
stream.close();
