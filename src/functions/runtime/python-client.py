"""What runs a Python handler in a process: asks the Runtime API for events, one after the other, and answers.

It needs no package. Error payloads and texts are those of Lambda's own client (invocation section 2).
"""

import decimal
import http.client
import importlib
import json
import logging
import os
import re
import secrets
import sys
import time
import traceback

RUNTIME = "/2018-06-01/runtime"

# Before these, Lambda's client writes what is not ASCII as escapes.
WRITES_ESCAPES = re.compile(r"^AWS_Lambda_python3\.(\d|1[01])$")


class Encoder(json.JSONEncoder):
    """A Decimal is the number that it says: boto3 gives the numbers of DynamoDB so."""

    # No text of a function holds it, and JSON leaves it as it is.
    MARK = secrets.token_hex(16)
    MARKED = re.compile('"%s([^"]*)"' % MARK)

    def __init__(self):
        super().__init__(ensure_ascii=WRITES_ESCAPES.match(os.environ.get("AWS_EXECUTION_ENV", "")) is not None)
        self._is_marked = False

    def default(self, o):
        if not isinstance(o, decimal.Decimal):
            return super().default(o)
        self._is_marked = True
        return self.MARK + ("NaN" if o.is_nan() else str(o))

    def bytes_of(self, value):
        text = self.encode(value)
        return (self.MARKED.sub(r"\1", text) if self._is_marked else text).encode()


class LogHandler(logging.Handler):
    """Lambda's root logger writes each line with the request that it belongs to."""

    def __init__(self):
        super().__init__()
        self.request_id = ""
        form = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
        formatter = logging.Formatter(form, "%Y-%m-%dT%H:%M:%S")
        formatter.converter = time.gmtime
        self.setFormatter(formatter)

    def emit(self, record):
        record.aws_request_id = self.request_id
        print(self.format(record), flush=True)


LOG = LogHandler()


class LambdaContext:
    """What handlers get beside the event."""

    def __init__(self, headers):
        environ = os.environ
        self.aws_request_id = headers.get("Lambda-Runtime-Aws-Request-Id", "")
        self.invoked_function_arn = headers.get("Lambda-Runtime-Invoked-Function-Arn", "")
        self.function_name = environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.tenant_id = headers.get("Lambda-Runtime-Aws-Tenant-Id")
        self.client_context = client_context(headers.get("Lambda-Runtime-Client-Context"))
        self.identity = Members(
            cognito_identity(headers.get("Lambda-Runtime-Cognito-Identity")),
            ("cognito_identity_id", "cognito_identity_pool_id"),
        )
        self._deadline_ms = int(headers.get("Lambda-Runtime-Deadline-Ms") or 0)

    def get_remaining_time_in_millis(self):
        return max(self._deadline_ms - int(time.time() * 1000), 0)


class Members:
    def __init__(self, values, names):
        for name in names:
            setattr(self, name, values.get(name))


def client_context(text):
    if not text:
        return None
    said = json.loads(text)
    context = Members(said, ("custom", "env"))
    names = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")
    context.client = Members(said["client"], names) if isinstance(said.get("client"), dict) else None
    return context


def cognito_identity(text):
    said = json.loads(text) if text else {}
    return {
        "cognito_identity_id": said.get("cognitoIdentityId"),
        "cognito_identity_pool_id": said.get("cognitoIdentityPoolId"),
    }


class Connection:
    """One request at a time, over one connection that is kept."""

    def __init__(self, address):
        self._connection = http.client.HTTPConnection(address)

    def next(self):
        self._connection.request("GET", RUNTIME + "/invocation/next")
        response = self._connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise ConnectionError("the Runtime API gave no event: " + str(response.status))
        return response.headers, body

    def respond(self, request_id, body):
        return self._post("/invocation/%s/response" % request_id, body, {})

    def fail(self, request_id, fault):
        self._post("/invocation/%s/error" % request_id, fault.body(), fault.headers())

    def fail_init(self, fault):
        self._post("/init/error", fault.body(), fault.headers())

    def _post(self, path, body, headers):
        self._connection.request("POST", RUNTIME + path, body, {"Content-Type": "application/json", **headers})
        response = self._connection.getresponse()
        response.read()
        return response.status


class Fault(Exception):
    """A failure as Lambda tells it."""

    def __init__(self, error_type, message, stack=(), request_id=""):
        super().__init__(message)
        self.error_type = error_type
        self.message = message
        self.stack = list(stack)
        self.request_id = request_id

    def body(self):
        said = {
            "errorMessage": self.message,
            "errorType": self.error_type,
            "requestId": self.request_id,
            "stackTrace": self.stack,
        }
        return json.dumps(said).encode()

    def headers(self):
        name = self.error_type.encode("ascii", "replace").decode()[:256]
        return {"Lambda-Runtime-Function-Error-Type": name}


def fault_of(error, request_id=""):
    """Of what was thrown: frames of this file say nothing of its fault."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    frames = [frame for frame in frames if not frame.filename.startswith("<frozen importlib")]
    name = type(error).__name__
    return Fault(name, str(error), traceback.format_list(frames), request_id)


def load_handler(handler):
    """The function that `package/module.name` names. Raises Fault with Lambda's error types."""
    try:
        module_name, name = handler.rsplit(".", 1)
    except ValueError as error:
        raise Fault("Runtime.MalformedHandlerName", "Bad handler '%s': %s" % (handler, error))
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = "Unable to import module '%s': %s" % (module_name, error)
        raise Fault("Runtime.ImportModuleError", message, fault_of(error).stack)
    except SyntaxError as error:
        trace = ['  File "%s" Line %s\n    %s' % (error.filename, error.lineno, error.text)]
        message = "Syntax error in module '%s': %s" % (module_name, error)
        raise Fault("Runtime.UserCodeSyntaxError", message, trace)
    if not hasattr(module, name):
        message = "Handler '%s' missing on module '%s'" % (name, module_name)
        raise Fault("Runtime.HandlerNotFound", message)
    return getattr(module, name)


def run(handler, headers, event):
    """The JSON of what the handler returns. Raises Fault."""
    request_id = headers.get("Lambda-Runtime-Aws-Request-Id", "")
    try:
        value = json.loads(event)
    except ValueError as error:
        raise Fault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error, (), request_id)
    try:
        result = handler(value, LambdaContext(headers))
    except Exception as error:
        raise fault_of(error, request_id)
    if isinstance(result, bytes):
        return result
    try:
        return Encoder().bytes_of(result)
    except (TypeError, ValueError, RecursionError) as error:
        message = "Unable to marshal response: %s" % error
        raise Fault("Runtime.MarshalError", message, (), request_id)


def tell(fault):
    """Into the function's log, as Lambda does."""
    sys.stdout.flush()
    lines = "".join(fault.stack)
    prefix = "Traceback (most recent call last):\n" + lines if lines else ""
    print("[ERROR] %s: %s\n%s" % (fault.error_type, fault.message, prefix), file=sys.stderr, flush=True)


def serve(connection, handler):
    while True:
        headers, event = connection.next()
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("Lambda-Runtime-Trace-Id", "")
        request_id = LOG.request_id = headers.get("Lambda-Runtime-Aws-Request-Id", "")
        try:
            body = run(handler, headers, event)
        except Fault as fault:
            tell(fault)
            connection.fail(request_id, fault)
            continue
        sys.stdout.flush()
        connection.respond(request_id, body)


def main():
    sys.stdout.reconfigure(line_buffering=True)
    logging.getLogger().addHandler(LOG)
    root = os.environ.get("LAMBDA_TASK_ROOT", os.getcwd())
    sys.path[0] = root
    connection = Connection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load_handler(os.environ["_HANDLER"])
    except Fault as fault:
        tell(fault)
        connection.fail_init(fault)
        sys.exit(1)
    except Exception as error:
        fault = fault_of(error)
        tell(fault)
        connection.fail_init(fault)
        sys.exit(1)
    try:
        serve(connection, handler)
    except (OSError, http.client.HTTPException):
        # Nobody is there any more who gives events.
        sys.exit(1)


main()
