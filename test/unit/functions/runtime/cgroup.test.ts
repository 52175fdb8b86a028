import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Cgroup, cgroupName, makerOf } from "../../../../src/functions/runtime/cgroup.ts";
import { findCgroups } from "../../../../src/functions/runtime/cgroup-layout.ts";

/** A tree of files as a kernel shows it, recorded: folders by path, files by path and what stands in them. */
function recorded(
  t: TestContext,
  folders: readonly string[],
  files: Readonly<Record<string, string>>,
): string {
  const root = mkdtempSync(join(tmpdir(), "millrace-cgroups-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(root, file), text);
  return root;
}

const LIMITS = { memoryMb: 1_769, processesMax: 1_024 };
const NAME = cgroupName(42, 7);

test("version 2 gets its limits in one folder, and is ended by one file", (t) => {
  const place = "system.slice/millrace.service";
  const root = recorded(t, [place], {
    "cgroup.controllers": "cpuset cpu io memory hugetlb pids rdma\n",
    [`${place}/cgroup.controllers`]: "cpu io memory pids\n",
    [`${place}/cgroup.subtree_control`]: "",
    [`${place}/cgroup.procs`]: "",
  });
  const layout = findCgroups(root, `0::/${place}\n`);
  assert.ok(typeof layout !== "string", String(layout));
  assert.equal(layout.version, 2);
  const said = (file: string) => readFileSync(join(root, place, file), "utf8");
  assert.equal(said("cgroup.subtree_control"), "+memory +pids +cpu");
  const group = new Cgroup(layout, NAME, LIMITS);
  const written = ["memory.max", "memory.swap.max", "memory.oom.group", "pids.max", "cpu.max"].map((file) =>
    said(join(NAME, file)),
  );
  assert.deepEqual(written, ["1854930944", "0", "1", "1024", "100000 100000"]);
  assert.deepEqual(group.entries, [join(root, place, NAME, "cgroup.procs")]);
  assert.deepEqual([group.peakMb, group.hasRunOut], [undefined, false]);
  writeFileSync(join(root, place, NAME, "memory.peak"), "10485761\n");
  writeFileSync(join(root, place, NAME, "memory.events"), "low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\n");
  assert.deepEqual([group.peakMb, group.hasRunOut], [11, true]);
  group.kill();
  assert.equal(said(join(NAME, "cgroup.kill")), "1");
});

test("version 1 gets its limits in the folders of its controllers, and is frozen while it is ended", (t) => {
  const folders = ["memory/app", "pids", "cpu", "freezer"];
  const root = recorded(t, folders, {});
  const layout = findCgroups(root, "9:name=systemd:/\n8:pids:/\n6:freezer:/\n4:memory:/app\n1:cpu:/\n0::/\n");
  assert.ok(typeof layout !== "string", String(layout));
  assert.equal(layout.version, 1);
  const group = new Cgroup(layout, NAME, { ...LIMITS, memoryMb: 512 });
  const said = (...path: readonly string[]) => readFileSync(join(root, ...path), "utf8");
  assert.equal(said("memory/app", NAME, "memory.limit_in_bytes"), "536870912");
  assert.equal(said("pids", NAME, "pids.max"), "1024");
  assert.equal(said("cpu", NAME, "cpu.cfs_quota_us"), "28943");
  assert.equal(group.entries.length, 4);
  writeFileSync(join(root, "memory/app", NAME, "memory.oom_control"), "oom_kill_disable 0\noom_kill 2\n");
  assert.equal(group.hasRunOut, true);
  group.kill();
  assert.equal(said("freezer", NAME, "freezer.state"), "THAWED");
});

test("a machine without limits of memory says so, and a group that cannot be made leaves nothing", (t) => {
  const root = recorded(t, ["memory", "pids"], {});
  assert.equal(findCgroups(root, "8:pids:/\n0::/\n"), "this machine limits no memory by control groups");
  const layout = findCgroups(root, "8:pids:/\n4:memory:/\n");
  assert.ok(typeof layout !== "string");
  mkdirSync(join(root, "pids", NAME));
  assert.throws(() => new Cgroup(layout, NAME, LIMITS), { code: "EEXIST" });
  assert.equal(existsSync(join(root, "pids", NAME)), false);
});

test("a group tells which process made it", () => {
  assert.equal(makerOf(`/sys/fs/cgroup/memory/${NAME}`), 42);
  assert.equal(makerOf("/sys/fs/cgroup/memory/other"), undefined);
});
