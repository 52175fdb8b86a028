"""The function of the suite of runtimes in Python, for AWS's client and for Millrace's: does what its event says."""

import os
import sys
import tempfile
import time

if "BROKEN" in os.environ:
    raise RuntimeError("broken at its start")

calls = 0
MARK = os.path.join(tempfile.gettempdir(), "mark")


def handler(event, context):
    global calls
    calls += 1
    count()
    task = event.get("task") if isinstance(event, dict) else None
    if task == "returnNull":
        return None
    if task == "returnBytes":
        return "x" * (event["bytes"] - 2)
    if task == "throw":
        raise type(event["errorType"], (Exception,), {})(event["message"])
    if task == "fail":
        raise Exception(event["message"])
    if task == "exit":
        sys.exit(event.get("status", 0))
    if task == "mark":
        open(MARK, "w").close()
        time.sleep(1000000)
    if task == "nap":
        time.sleep(5)
    if task == "hang":
        time.sleep(1000000)
    while task == "block":
        pass
    if task == "meet":
        meet(event["place"])
    if task in ("tell", "meet"):
        return tell(context)
    # An event of AWS is no order, and goes back as it came.
    return event


def count():
    place = os.environ.get("EXECUTIONS_FILE")
    if place is not None:
        with open(place, "a") as file:
            file.write(".")


def tell(context):
    client = context.client_context
    return {
        "calls": calls,
        "pid": os.getpid(),
        "requestId": context.aws_request_id,
        "functionArn": context.invoked_function_arn,
        "marked": os.path.exists(MARK),
        "folder": tempfile.gettempdir(),
        "custom": None if client is None else client.custom,
    }


def meet(place):
    open(os.path.join(place, str(os.getpid())), "w").close()
    while len(os.listdir(place)) < 2:
        time.sleep(0.01)
