import type { Socket } from "node:net";
import { BSON, type Document } from "mongodb";

const HEADER_BYTES = 16;
const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const MORE_TO_COME = 2;
const MESSAGE_BYTES_MAX = 48_000_000;

export interface WireRequest {
  /** The command, with the documents of its sections in their places. */
  readonly command: Document;
  readonly database: string;
  /** The client waits for none. */
  readonly isUnanswered: boolean;
  answer(document: Document): void;
}

/** Reads MongoDB's messages of a connection: OP_MSG, and OP_QUERY for the first handshake. */
export function readRequests(socket: Socket, onRequest: (request: WireRequest) => void): void {
  let received: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    while (received.length >= HEADER_BYTES) {
      const length = received.readInt32LE(0);
      if (length < HEADER_BYTES || length > MESSAGE_BYTES_MAX) return void socket.destroy();
      if (received.length < length) return;
      const message = received.subarray(0, length);
      received = received.subarray(length);
      onRequest(requestOf(socket, message));
    }
  });
}

function requestOf(socket: Socket, message: Buffer): WireRequest {
  const requestId = message.readInt32LE(4);
  const operation = message.readInt32LE(12);
  if (operation === OP_QUERY) {
    const namespaceEnd = message.indexOf(0, HEADER_BYTES + 4);
    const command = BSON.deserialize(message.subarray(namespaceEnd + 9));
    const database = message.toString("utf8", HEADER_BYTES + 4, namespaceEnd).split(".", 1)[0] ?? "";
    return {
      command,
      database,
      isUnanswered: false,
      answer: (document) => reply(socket, requestId, document),
    };
  }
  if (operation !== OP_MSG) throw new Error(`the twin knows no operation ${operation}`);
  const flags = message.readUInt32LE(HEADER_BYTES);
  const command = sectionsOf(message);
  return {
    command,
    database: String(command["$db"]),
    isUnanswered: (flags & MORE_TO_COME) !== 0,
    answer: (document) =>
      send(socket, requestId, OP_MSG, Buffer.concat([Buffer.alloc(5), BSON.serialize(document)])),
  };
}

function sectionsOf(message: Buffer): Document {
  let command: Document = {};
  const lists: Document = {};
  for (let at = HEADER_BYTES + 4; at < message.length; ) {
    const kind = message[at];
    const size = message.readInt32LE(at + 1);
    const section = message.subarray(at + 1, at + 1 + size);
    if (kind === 0) command = BSON.deserialize(section, { promoteValues: false, bsonRegExp: true });
    else Object.assign(lists, listOf(section));
    at += 1 + size;
  }
  return { ...command, ...lists };
}

function listOf(section: Buffer): Document {
  const nameEnd = section.indexOf(0, 4);
  const documents: Document[] = [];
  for (let at = nameEnd + 1; at < section.length; ) {
    const size = section.readInt32LE(at);
    documents.push(
      BSON.deserialize(section.subarray(at, at + size), { promoteValues: false, bsonRegExp: true }),
    );
    at += size;
  }
  return { [section.toString("utf8", 4, nameEnd)]: documents };
}

function reply(socket: Socket, requestId: number, document: Document): void {
  const head = Buffer.alloc(20);
  head.writeInt32LE(1, 16);
  send(socket, requestId, OP_REPLY, Buffer.concat([head, BSON.serialize(document)]));
}

let messages = 0;

function send(socket: Socket, responseTo: number, operation: number, body: Buffer): void {
  if (socket.destroyed) return;
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeInt32LE(HEADER_BYTES + body.length, 0);
  header.writeInt32LE(++messages, 4);
  header.writeInt32LE(responseTo, 8);
  header.writeInt32LE(operation, 12);
  socket.write(Buffer.concat([header, body]));
}
