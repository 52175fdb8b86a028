import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { faultOf, hasErrorCode, isPassingFault } from "../../src/model/errors.ts";
import { type Fault, FaultProxy } from "../servers/fault-proxy.ts";

/** A source as its connector opens it. */
export interface OpenedSource {
  /** Asks the source something: its shards, or for messages. */
  look(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface OpeningHarness {
  /** Starts a healthy server with one source; its endpoint. */
  start(): Promise<{ readonly endpoint: string; close(): Promise<void> }>;
  /** Has the SDK of this process call `endpoint` only. */
  useEndpoint(endpoint: string): void;
  open(): Promise<OpenedSource>;
  /** As this service words a throttle. */
  readonly throttle: Fault;
  /** Whether `open` itself asks the service; it then overcomes what passes at once. */
  readonly asksAtOpen: boolean;
  /** A receive of a queue comes back by itself, with what it brings (law of `QueueSource`). */
  readonly abortEndsLook: boolean;
}

const NO_ABORT = new AbortController().signal;
const TRIES_MAX = 4;
const MINUTE_MS = 60_000;

/** Opening, and the first look, under each fault of a network, a service, a clock and keys: a connector is a row. */
export function describeOpeningFaults(name: string, harness: OpeningHarness): void {
  describe(`${name} opens a source under faults`, () => {
    let server: Awaited<ReturnType<OpeningHarness["start"]>> | undefined;
    let proxy: FaultProxy;
    before(async () => {
      server = await harness.start();
      proxy = await FaultProxy.start(server.endpoint);
      harness.useEndpoint(proxy.endpoint);
    });
    after(async () => {
      await proxy?.close();
      await server?.close();
    });

    const openAndLook = async (signal = NO_ABORT) => {
      const source = await harness.open();
      try {
        await source.look(signal);
      } finally {
        await source.close();
      }
    };
    /** As the engine and the control plane do: what passes is tried again. The failures on the way. */
    const untilItWorks = async () => {
      const failures: unknown[] = [];
      while (failures.length < TRIES_MAX) {
        try {
          await openAndLook();
          return failures;
        } catch (error) {
          assert.ok(isPassingFault(error), String(error));
          failures.push(error);
        }
      }
      assert.fail(`It does not work after ${TRIES_MAX} tries: ${String(failures.at(-1))}`);
    };
    const requestsOf = async (call: () => Promise<unknown>) => {
      const before = proxy.requests;
      await call();
      return proxy.requests - before;
    };

    const once: readonly (readonly [string, Fault])[] = [
      ["throttle", harness.throttle],
      ["503 of a load balancer", { kind: "page" }],
      ["reset", { kind: "reset" }],
    ];
    for (const [what, fault] of once) {
      test(`one ${what} is overcome, or told as passing and overcome with the next try`, async () => {
        proxy.next.push(fault);
        const failures = await untilItWorks();
        assert.equal(failures.length, harness.asksAtOpen ? 0 : 1);
      });

      test(`a ${what} that stays is told as passing, after few requests`, async () => {
        proxy.always = fault;
        try {
          const requests = await requestsOf(() => assert.rejects(openAndLook(), isPassingFault));
          assert.equal(requests, harness.asksAtOpen ? TRIES_MAX : 1);
        } finally {
          proxy.always = undefined;
        }
      });
    }

    test("a service that hangs is told as passing by a deadline", async () => {
      proxy.always = { kind: "hang" };
      try {
        await assert.rejects(openAndLook(), isPassingFault);
      } finally {
        proxy.always = undefined;
      }
    });

    test("an abort ends a look at a service that hangs", {
      skip: !harness.abortEndsLook && "what a receive brings is not thrown away: it comes back by itself",
    }, async () => {
      const source = await harness.open();
      proxy.next.push({ kind: "hang" });
      const abort = new AbortController();
      const asked = proxy.asked();
      const look = source.look(abort.signal);
      void asked.then(() => abort.abort());
      await assert.rejects(look, (error) => hasErrorCode(error, "ERR_MILLRACE_ABORTED"));
      await source.close();
    });

    test("a missing right is told as such, at once, without the service's text", async () => {
      proxy.always = { kind: "refuse", status: 400, code: "AccessDeniedException" };
      try {
        const requests = await requestsOf(() =>
          assert.rejects(openAndLook(), (error: Error) => {
            assert.equal(faultOf(error), "denied");
            assert.match(error.message, /Allow \w+:\w+ on arn:/);
            assert.doesNotMatch(error.message, /secret/);
            return true;
          }),
        );
        assert.equal(requests, 1);
      } finally {
        proxy.always = undefined;
      }
    });

    for (const [minutes, what] of [
      [20, "behind"],
      [-20, "ahead of"],
    ] as const) {
      test(`a host's clock 20 minutes ${what} the service's costs one refusal, of the first client only`, async () => {
        proxy.clockAheadMs = minutes * MINUTE_MS;
        proxy.timeRefusals = 0;
        await openAndLook();
        await openAndLook();
        assert.equal(proxy.timeRefusals, 1);
        proxy.clockAheadMs = 0;
        // Learns the right time again.
        await openAndLook();
      });
    }

    test("keys that are rotated in a file while the source is open are read anew", async (t) => {
      const keys = useKeyFile(t, "AKIAOLD");
      const source = await harness.open();
      await source.look(NO_ABORT);
      keys.write("AKIANEW");
      proxy.refusedKeys.set("AKIAOLD", "UnrecognizedClientException");
      await source.look(NO_ABORT);
      await source.close();
      proxy.refusedKeys.clear();
    });

    test("a session that has expired is told as passing, and works as soon as it is renewed", async (t) => {
      const keys = useKeyFile(t, "ASIAENDED");
      proxy.refusedKeys.set("ASIAENDED", "ExpiredTokenException");
      await assert.rejects(openAndLook(), (error: Error) => {
        assert.equal(faultOf(error), "credentialsExpired");
        assert.match(error.message, /have expired/);
        return true;
      });
      keys.write("ASIARENEWED");
      await openAndLook();
      proxy.refusedKeys.clear();
    });

    test("keys that nobody knows are told as such, and wait for a change", async (t) => {
      useKeyFile(t, "AKIAUNKNOWN");
      proxy.refusedKeys.set("AKIAUNKNOWN", "UnrecognizedClientException");
      await assert.rejects(openAndLook(), (error) => faultOf(error) === "credentials");
      proxy.refusedKeys.clear();
    });
  });
}

/** This process's keys come from a file, until the test ends. */
function useKeyFile(t: { after(restore: () => void): void }, accessKeyId: string) {
  const folder = mkdtempSync(join(tmpdir(), "millrace-keys-"));
  const file = join(folder, "credentials");
  const write = (id: string) =>
    writeFileSync(file, `[default]\naws_access_key_id = ${id}\naws_secret_access_key = secret\n`);
  write(accessKeyId);
  const { AWS_ACCESS_KEY_ID: id, AWS_SHARED_CREDENTIALS_FILE: shared } = process.env;
  delete process.env["AWS_ACCESS_KEY_ID"];
  process.env["AWS_SHARED_CREDENTIALS_FILE"] = file;
  t.after(() => {
    if (id !== undefined) process.env["AWS_ACCESS_KEY_ID"] = id;
    if (shared !== undefined) process.env["AWS_SHARED_CREDENTIALS_FILE"] = shared;
    rmSync(folder, { recursive: true });
  });
  return { write };
}
