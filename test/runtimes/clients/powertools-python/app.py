"""A handler as the guide of Powertools for AWS Lambda (Python) writes it: logger, metrics and partial batches."""

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

processor = BatchProcessor(event_type=EventType.SQS)
logger = Logger(service="orders")
metrics = Metrics(namespace="shop", service="orders")


def record_handler(record: SQSRecord):
    order = record.json_body
    if order["amount"] < 0:
        raise ValueError("nobody sells less than nothing")
    metrics.add_metric(name="sold", unit=MetricUnit.Count, value=order["amount"])
    logger.info("sold", extra={"order": order["id"]})


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict, context: LambdaContext):
    return process_partial_response(
        event=event, record_handler=record_handler, processor=processor, context=context
    )
