calls = 0


def handler(event, context):
    """What is global lives as long as the process does: `calls` goes up from call to call."""
    global calls
    calls += 1
    print("order", event.get("order"))
    return {"order": event.get("order"), "calls": calls, "requestId": context.aws_request_id}
