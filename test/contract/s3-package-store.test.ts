import { after } from "node:test";
import { openPackageStore } from "../../src/packages/open-package-store.ts";
import type { PackageStore } from "../../src/ports/package-store.ts";
import { AwsEmulator } from "../servers/aws-emulator.ts";
import { describePackageStoreContract } from "./package-store.ts";

const emulator = await AwsEmulator.start();
after(() => emulator.close());

describePackageStoreContract("S3", {
  async createStore() {
    const bucket = emulator.freshName();
    await emulator.createBucket(bucket);
    const opened: PackageStore[] = [];
    return {
      async open() {
        const store = await openPackageStore(`s3:${bucket}/code`);
        opened.push(store);
        return store;
      },
      damage: (sha256, bytes) =>
        emulator.putObject(bucket, `code/${sha256}.zip`, Buffer.from(bytes).toString()),
      async [Symbol.asyncDispose]() {
        await Promise.all(opened.map((store) => store.close()));
      },
    };
  },
});
