export const KIND = "dynamodb-streams";
