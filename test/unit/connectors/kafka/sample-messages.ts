import {
  createKafkaPartition,
  createKafkaRecord,
  type KafkaMessage,
  type KafkaRecord,
} from "../../../../connectors/kafka/record.ts";

export const PARTITION = createKafkaPartition("mytopic", 0);
export const READ_MS = 1_700_000_000_000;

/** The contract's sample record (kafka §3), with what is given in place of its own. */
export function recordOf(message: Partial<KafkaMessage> = {}, partition = PARTITION): KafkaRecord {
  const sample: KafkaMessage = {
    offset: 15,
    key: Buffer.from("abcDEFghiJKLmnoPQRstuVWXyz1234==", "base64"),
    value: Buffer.from("Hello, this is a test."),
    headers: [{ key: "headerKey", value: Buffer.from("headerValue") }],
    timestampMs: 1_545_084_650_987,
    timestampType: "CREATE_TIME",
  };
  return createKafkaRecord(partition, { ...sample, ...message }, READ_MS);
}
