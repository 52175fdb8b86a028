import type { ConnectorParameters } from "../../src/ports/connector-parameters.ts";
import { SOURCE_ACCESS_FIELD } from "../../src/secrets/source-access.ts";
import { checkMongoMapping, MONGO_TEXTS, mongoClaims } from "./checks.ts";
import { CONFIG, HISTORY_LOST, mongoSettings, namespaceOf } from "./settings.ts";

/** What mappings of change streams have that others have not (brokers §4). */
export const mongoParameters: ConnectorParameters = {
  title: "MongoDB",
  sourceNoun: "change streams of MongoDB and DocumentDB",
  fields: {
    [CONFIG]: {
      type: "object",
      properties: {
        databaseName: {
          type: "string",
          minLength: 1,
          maxLength: 63,
          pattern: '^[^ /\\\\.$"]+$',
          description: "The database whose changes are read.",
        },
        collectionName: {
          type: "string",
          minLength: 1,
          maxLength: 57,
          pattern: "^(?!system\\.)[_a-zA-Z0-9][^$]*$",
          description: "The collection whose changes are read. Default: all collections of the database.",
        },
        fullDocument: {
          type: "string",
          enum: ["Default", "UpdateLookup"],
          description:
            "UpdateLookup: an update comes with its document, as it is when it is looked up. Default: with what it changed only.",
        },
      },
      required: ["databaseName"],
      description: "Change streams of MongoDB and DocumentDB only, and required there: what is read.",
    },
    sourceAccessConfigurations: SOURCE_ACCESS_FIELD,
    historyLost: {
      type: "string",
      enum: [...HISTORY_LOST],
      description:
        "Change streams only, and not AWS's. What is done when the server no longer has the changes behind the last one that was settled: stop, wait until somebody changes this, as AWS disables such a mapping; oldest, go on with the oldest change that there is; latest, with what comes next. What is left out is counted as trimmed. Default stop.",
    },
  },
  refuses: ["tumblingWindowInSeconds"],
  notes: {
    maximumBatchingWindowInSeconds: "Change streams: half a second is the default.",
    parallelizationFactor: "Change streams: changes of one document (_id) stay in order; AWS runs one batch.",
    tumblingWindowInSeconds: "Change streams have none.",
    endpoints:
      "Change streams: MONGODB_ENDPOINTS, with mongodb://HOST:PORT for each member of the cluster, or mongodb+srv://HOST alone; with TLS unless /?tls=false stands behind it.",
  },
  // Both stand in it, and neither can be changed (brokers §4).
  immutable: [CONFIG],
  // Nothing in it says that there is no login.
  keptEmpty: ["sourceAccessConfigurations"],
  defaults: { batchingWindowMs: 500 },
  check: checkMongoMapping,
  claims: mongoClaims,
  texts: MONGO_TEXTS,
  sourceName: (settings) => `changes of ${namespaceOf(mongoSettings({ eventSourceArn: "" }, settings))}`,
  templateEvents: {
    DocumentDB: {
      moved: {
        Cluster: ["eventSourceArn"],
        DatabaseName: [CONFIG, "databaseName"],
        CollectionName: [CONFIG, "collectionName"],
        FullDocument: [CONFIG, "fullDocument"],
      },
    },
  },
};
