export const AWS_TEST_REGION = "eu-west-1";

/** What a process needs to talk to emulators, whatever else its surroundings say of AWS. */
export function awsEnvironment(endpoints: Readonly<Record<string, string>>): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: "000000000000",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_REGION: AWS_TEST_REGION,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    ...endpoints,
  };
}

/** Sets them for this process: the adapters under test find endpoint and credentials by the SDK's own rules. */
export function useAwsEnvironment(endpoints: Readonly<Record<string, string>>): void {
  Object.assign(process.env, awsEnvironment(endpoints));
  delete process.env["AWS_PROFILE"];
}
