import { type AnyBulkWriteOperation, type Document, MongoBulkWriteError } from "mongodb";
import { MillraceError } from "../../src/model/errors.ts";
import type { OutgoingRecord, RecordSender, SendOutcome } from "../../src/ports/record-sender.ts";
import { prepareClient } from "./client.ts";
import type { MongoSettings } from "./settings.ts";

/** In one call: the server takes up to 100,000 at once. */
const DOCUMENTS_MAX = 500;
const BYTES_MAX = 4 * 1024 * 1024;
const CONCURRENCY = 8;

/**
 * Writes documents whose `_id` is the key, over one another, and waits until most members of the set have them.
 * @throws ERR_MILLRACE_CONFIG where the mapping reads a whole database.
 */
export async function openDocumentSender(settings: MongoSettings): Promise<RecordSender> {
  const { database, collection } = settings;
  if (collection === undefined) {
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `The mapping reads all collections of "${database}": a sender needs one. Give it a collectionName.`,
    );
  }
  const makeClient = await prepareClient(settings);
  const client = makeClient();
  const documents = client
    .db(database)
    .collection<Document & { _id: string }>(collection, { writeConcern: { w: "majority" } });
  return {
    recordsMax: DOCUMENTS_MAX,
    bytesMax: BYTES_MAX,
    concurrency: CONCURRENCY,
    repeatsKeys: true,
    async send(records) {
      try {
        await documents.bulkWrite(records.map(writeOf), { ordered: true });
        return records.map(() => "accepted");
      } catch (error) {
        return outcomes(error, records.length);
      }
    },
    close: () => client.close(),
  };
}

function writeOf({ key, data }: OutgoingRecord): AnyBulkWriteOperation<Document & { _id: string }> {
  return { replaceOne: { filter: { _id: key }, replacement: { data }, upsert: true } };
}

/** In order, the first that failed ends the call; without an answer nobody knows. */
function outcomes(error: unknown, count: number): readonly SendOutcome[] {
  const failed = error instanceof MongoBulkWriteError ? [error.writeErrors].flat()[0]?.index : undefined;
  return Array.from({ length: count }, (_, index): SendOutcome => {
    if (failed === undefined) return "unknown";
    return index < failed ? "accepted" : "refused";
  });
}
