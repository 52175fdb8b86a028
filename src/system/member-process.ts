import cluster from "node:cluster";
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { GROUP_SECRET } from "../model/group-secret.ts";
import { allocatorEnvironment } from "./allocator.ts";

/** A process of this program, started by it, that shares its listening sockets. Messages are JSON. */
export interface StartedProcess<To, From> {
  readonly pid: number;
  send(message: To): void;
  onMessage(listener: (message: From) => void): void;
  onLine(listener: (line: string) => void): void;
  kill(): void;
  readonly ended: Promise<{ readonly status: number | null; readonly signal: string | null }>;
}

let groupSecret: string | undefined;

/** Starts this program again, with these words on its command line. */
export function startProcess<To, From>(words: readonly string[]): StartedProcess<To, From> {
  cluster.setupPrimary({ args: [...words], silent: true });
  groupSecret ??= randomBytes(24).toString("base64url");
  const { process: child } = cluster.fork({
    ...allocatorEnvironment(process.env),
    [GROUP_SECRET]: groupSecret,
  });
  const listeners = new Set<(line: string) => void>();
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => {
      for (const listener of listeners) listener(line);
    });
  }
  // A process that is just ending takes no message.
  child.on("error", () => undefined);
  return {
    pid: child.pid ?? 0,
    send: (message) => {
      if (child.connected) child.send(message as object, () => undefined);
    },
    onMessage: (listener) => void child.on("message", listener),
    onLine: (listener) => void listeners.add(listener),
    kill: () => void child.kill("SIGKILL"),
    ended: new Promise((resolve) => child.on("close", (status, signal) => resolve({ status, signal }))),
  };
}

export interface ParentLink<To, From> {
  send(message: From): void;
  onMessage(listener: (message: To) => void): void;
  /** The parent has ended, or was killed. Not after `close`. */
  onGone(listener: () => void): void;
  /** An open link keeps this process alive. */
  close(): void;
}

/** `undefined`: nobody started this process as one of several. */
export function parentLink<To, From>(): ParentLink<To, From> | undefined {
  const { worker } = cluster;
  if (worker === undefined) return undefined;
  // Without it Node ends this process at once when its parent is gone, and nothing would be drained.
  worker.exitedAfterDisconnect = true;
  let isClosed = false;
  return {
    send: (message) => {
      if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
    },
    onMessage: (listener) => void process.on("message", (message) => listener(message as To)),
    onGone: (listener) => {
      const gone = () => {
        if (!isClosed) listener();
      };
      // It may have gone before anybody listened.
      if (process.connected) process.once("disconnect", gone);
      else setImmediate(gone);
    },
    close: () => {
      isClosed = true;
      if (process.connected) process.disconnect();
    },
  };
}
