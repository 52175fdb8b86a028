import { scriptedKafkaHarness } from "./scripted-kafka-harness.ts";
import { describeStreamSourceContract } from "./stream-source.ts";

// Epochs are asked for when a leader may be another, and nothing but "no such topic" tells of a topic made anew.
describeStreamSourceContract("Kafka before 2.8, scripted", scriptedKafkaHarness(false));
