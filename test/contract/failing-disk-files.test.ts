import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CrampedPlace } from "./cramped/cramped-place.ts";
import { sampleFailure } from "./destination.ts";
import { rejectsWith } from "./rejects-with.ts";

/** What else is kept in files: an answer counts when it is durable there too. */
const FAULTS = ["full disk", "failing disk"] as const;
const LONG = "x".repeat(20_000);

describe("files on a disk that takes nothing", { timeout: 120_000 }, () => {
  for (const fault of FAULTS) {
    test(`on a ${fault} a failure record is refused, its torn line spoils no other, and it is taken afterwards`, async () => {
      await using place = await CrampedPlace.create(fault);
      const file = await place.openFailureFile();
      await file.deliver(sampleFailure("a"));
      await place.begin();
      for (const id of ["b", "c", "b"])
        await rejectsWith("ERR_MILLRACE_DESTINATION_UNAVAILABLE", () =>
          file.deliver({ ...sampleFailure(id), payload: Buffer.from(LONG) }),
        );
      assert.deepEqual(await file.acceptedIds(), ["a"]);
      await place.end();
      for (const id of ["b", "c"]) await file.deliver(sampleFailure(id));
      assert.deepEqual((await file.acceptedIds()).toSorted(), ["a", "b", "c"]);
    });

    test(`on a ${fault} records that a local stream refused are read by nobody, and later ones follow without a gap`, async () => {
      await using place = await CrampedPlace.create(fault);
      const stream = await place.openStream();
      await stream.append(["1", "2"]);
      await place.begin();
      for (let tries = 0; tries < 3; tries++)
        await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", () => stream.append(["lost", LONG]));
      assert.notEqual(await stream.send("lost"), "accepted");
      assert.deepEqual((await stream.read()).texts, ["1", "2"]);
      await place.end();
      await stream.append(["3"]);
      assert.equal(await stream.send("4"), "accepted");
      const { texts, positions } = await stream.read();
      assert.deepEqual(texts, ["1", "2", "3", "4"]);
      assert.deepEqual(positions, [1, 2, 3, 4]);
    });

    test(`on a ${fault} a local queue gives no message and settles none, and all come once afterwards`, async () => {
      await using place = await CrampedPlace.create(fault);
      const queue = await place.openQueue();
      await queue.send(["1", "2", "3"]);
      assert.deepEqual(await queue.receive(1), ["1"]);
      await place.begin();
      for (const call of [
        () => queue.receive(1),
        () => queue.acknowledge(),
        () => queue.release(),
        () => queue.extend(),
        () => queue.send(["lost"]),
      ])
        await rejectsWith("ERR_MILLRACE_SOURCE_UNAVAILABLE", call);
      await place.end();
      assert.deepEqual(await queue.acknowledge(), ["settled"]);
      assert.deepEqual(await queue.receive(10), ["2", "3"]);
      assert.deepEqual(await queue.receiveCounts(), [1, 1], "what was refused cost no receive");
    });
  }
});
