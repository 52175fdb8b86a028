import { scriptedKafkaHarness } from "./scripted-kafka-harness.ts";
import { describeStreamSourceContract } from "./stream-source.ts";

describeStreamSourceContract("Kafka, scripted", scriptedKafkaHarness(true));
