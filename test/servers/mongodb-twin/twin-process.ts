import { MongoTwin } from "./mongodb-twin.ts";

/** The twin in a process of its own, at the port that it is given, without logins. */
await new MongoTwin().listen(Number(process.argv[2]));
