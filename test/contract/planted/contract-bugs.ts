import { AWS_BUGS } from "./bugs/aws.ts";
import { BROKER_BUGS } from "./bugs/brokers.ts";
import { ROW_BUGS } from "./bugs/control.ts";
import { DOOR_BUGS } from "./bugs/door.ts";
import { DYNAMODB_BUGS } from "./bugs/dynamodb.ts";
import { ENGINE_BUGS } from "./bugs/engine.ts";
import { ERROR_BUGS } from "./bugs/errors.ts";
import { EVENT_BUGS } from "./bugs/events.ts";
import { FRONT_BUGS } from "./bugs/front.ts";
import { FUNCTION_BUGS } from "./bugs/functions.ts";
import { KAFKA_BUGS } from "./bugs/kafka.ts";
import { KAFKA_WIRE_BUGS } from "./bugs/kafka-wire.ts";
import { KUBERNETES_BUGS } from "./bugs/kubernetes.ts";
import { LOCAL_BUGS } from "./bugs/local.ts";
import { MONGODB_BUGS } from "./bugs/mongodb.ts";
import { PACKAGE_BUGS } from "./bugs/packages.ts";
import { PARKED_KEY_BUGS } from "./bugs/parked-keys.ts";
import { QUEUE_BUGS } from "./bugs/queue.ts";
import { ROLLOUT_BUGS } from "./bugs/rollouts.ts";
import { STORE_BUGS } from "./bugs/stores.ts";
import type { ContractBug } from "./contract-bug.ts";

export const CONTRACT_BUGS: readonly ContractBug[] = [
  ...STORE_BUGS,
  ...PARKED_KEY_BUGS,
  ...DYNAMODB_BUGS,
  ...LOCAL_BUGS,
  ...KAFKA_BUGS,
  ...KAFKA_WIRE_BUGS,
  ...QUEUE_BUGS,
  ...AWS_BUGS,
  ...BROKER_BUGS,
  ...MONGODB_BUGS,
  ...ROW_BUGS,
  ...DOOR_BUGS,
  ...ENGINE_BUGS,
  ...ERROR_BUGS,
  ...PACKAGE_BUGS,
  ...FUNCTION_BUGS,
  ...EVENT_BUGS,
  ...ROLLOUT_BUGS,
  ...FRONT_BUGS,
  ...KUBERNETES_BUGS,
];
