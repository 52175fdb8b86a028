import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DeadLetters } from "../../src/ports/dead-letters.ts";

export interface DeadLettersHarness {
  readonly peekHides: boolean;
  createQueues(isFifo: boolean): Promise<DeadLettersFixture>;
}

export interface LetterToSend {
  readonly body: string;
  readonly group?: string;
  /** An attribute of the sender. */
  readonly colour?: string;
}

/** A queue and the queue of its dead letters. */
export interface DeadLettersFixture extends AsyncDisposable {
  /** `plain`: a queue that gives nothing up. */
  open(of?: "plain"): Promise<DeadLetters | undefined>;
  /** As if they had been given up. */
  fill(letters: readonly LetterToSend[]): Promise<void>;
  /** All that the queue itself holds: bodies, with the attribute. */
  ofSource(): Promise<readonly string[]>;
}

const NO_ABORT = new AbortController().signal;
const HOLD_MS = 60_000;

/** The laws of `src/ports/dead-letters.ts` as named behaviours, which every adapter runs. */
export function describeDeadLettersContract(name: string, harness: DeadLettersHarness): void {
  describe(`${name} keeps the laws of dead letters`, { timeout: 120_000 }, () => {
    behaviour("a queue that gives nothing up has none", false, async (_letters, fixture) => {
      assert.equal(await fixture.open("plain"), undefined);
    });

    behaviour("a look shows what is there, and leaves it there", false, async (letters, { fill }) => {
      assert.equal(letters.peekHides, harness.peekHides);
      assert.deepEqual(await letters.peek(10, NO_ABORT), []);
      assert.equal(await letters.count(NO_ABORT), 0);
      await fill([{ body: "a", colour: "red" }, { body: "b" }]);
      for (let look = 0; look < 2; look++) {
        const seen = await letters.peek(10, NO_ABORT);
        assert.deepEqual(bodiesOf(seen).sort(), ["a", "b"]);
      }
      assert.equal((await letters.peek(1, NO_ABORT)).length, 1);
      assert.equal((await letters.take(10, HOLD_MS, NO_ABORT)).length, 2);
    });

    behaviour(
      "what is taken is hidden until it is removed or given back",
      false,
      async (letters, { fill }) => {
        await fill([{ body: "a" }, { body: "b" }]);
        const taken = await letters.take(10, HOLD_MS, NO_ABORT);
        assert.deepEqual(bodiesOf(taken).sort(), ["a", "b"]);
        assert.deepEqual(await letters.take(10, HOLD_MS, NO_ABORT), []);
        assert.equal(await letters.count(NO_ABORT), 2, "hidden ones are counted");
        await letters.remove(taken.slice(0, 1));
        await letters.giveBack(taken.slice(1));
        const left = await letters.take(10, HOLD_MS, NO_ABORT);
        assert.deepEqual(bodiesOf(left), bodiesOf(taken.slice(1)));
        await letters.remove(left);
        assert.deepEqual(await letters.take(10, HOLD_MS, NO_ABORT), []);
        await letters.remove([]);
      },
    );

    behaviour(
      "messages of a group come in their order, each behind the one before",
      true,
      async (letters, { fill }) => {
        const sent = ["1", "2", "3", "4"].map((body) => ({ body, group: "ada" }));
        await fill(sent);
        const bodies: string[] = [];
        for (;;) {
          const taken = await letters.take(2, HOLD_MS, NO_ABORT);
          if (taken.length === 0) break;
          assert.ok(taken.every(({ key }) => key === "ada"));
          bodies.push(...bodiesOf(taken));
          await letters.remove(taken);
        }
        assert.deepEqual(bodies, ["1", "2", "3", "4"]);
      },
    );

    behaviour(
      "a message goes back to its queue as it was sent",
      false,
      async (letters, { fill, ofSource }) => {
        await fill([{ body: '{"größe": 1}', colour: "red" }]);
        const taken = await letters.take(1, HOLD_MS, NO_ABORT);
        await letters.send(
          "source",
          taken.map(({ itemId, element }) => ({ id: itemId, element })),
        );
        assert.deepEqual(await ofSource(), ['{"größe": 1} red']);
      },
    );

    behaviour(
      "a message of a group that is sent back twice is there once",
      true,
      async (letters, { fill }) => {
        await fill([{ body: "a", group: "ada" }]);
        const taken = await letters.take(1, HOLD_MS, NO_ABORT);
        await letters.remove(taken);
        const again = taken.map(({ itemId, element }) => ({ id: `again-${itemId}`, element }));
        await letters.send("letters", again);
        await letters.send("letters", again);
        const back = await letters.peek(10, NO_ABORT);
        assert.deepEqual(bodiesOf(back), ["a"]);
        assert.deepEqual(
          back.map(({ key }) => key),
          ["ada"],
        );
      },
    );
  });

  function behaviour(
    sentence: string,
    isFifo: boolean,
    prove: (letters: DeadLetters, fixture: DeadLettersFixture) => Promise<void>,
  ): void {
    test(sentence, async () => {
      await using fixture = await harness.createQueues(isFifo);
      const letters = await fixture.open();
      assert.ok(letters !== undefined);
      await prove(letters, fixture);
    });
  }
}

function bodiesOf(letters: readonly { readonly element: Uint8Array }[]): string[] {
  return letters.map(({ element }) => JSON.parse(Buffer.from(element).toString()).body);
}
