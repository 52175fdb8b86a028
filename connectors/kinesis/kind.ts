export const KIND = "kinesis";
