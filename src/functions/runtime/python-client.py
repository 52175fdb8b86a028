"""What runs a Python handler in a process: asks the Runtime API for events, one after the other, and answers.

It needs no package. Error payloads and texts are those of Lambda's own client (invocation section 2).
"""

import decimal
import importlib
import json
import logging
import os
import re
import secrets
import socket
import sys
import time
import traceback

RUNTIME = "/2018-06-01/runtime"
READ_BYTES = 64 * 1024

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
    """One request at a time, over one connection that is kept.

    It reads what our own host writes and no more: a whole client of HTTP costs several times as much CPU.
    """

    def __init__(self, address):
        self._address = address
        self._socket = None

    def next(self):
        return self._event(self._send("GET", "/invocation/next", b"", ""))

    def respond(self, request_id, body):
        """Gives the next event: the host answers with it, which saves a round."""
        return self._then("/invocation/%s/response" % request_id, body, "")

    def fail(self, request_id, fault):
        return self._then("/invocation/%s/error" % request_id, fault.body(), fault.header())

    def fail_init(self, fault):
        self._send("POST", "/init/error", fault.body(), fault.header())

    def _then(self, path, body, header):
        answer = self._send("POST", path, body, header + "Millrace-Then: next\r\n")
        return self._event(answer) if answer[0] == 200 else self.next()

    def _event(self, answer):
        status, headers, body = answer
        if status != 200:
            raise ConnectionError("the Runtime API gave no event: %d" % status)
        return headers, body

    def _send(self, method, path, body, header):
        if self._socket is None:
            host, port = self._address.rsplit(":", 1)
            self._socket = socket.create_connection((host, int(port)))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        length = "" if method == "GET" else "Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
        head = "%s %s%s HTTP/1.1\r\nHost: %s\r\n%s%s\r\n" % (method, RUNTIME, path, self._address, header, length)
        self._socket.sendall(head.encode("latin-1") + body)
        return self._receive()

    def _receive(self):
        read = self._socket.recv(READ_BYTES)
        end = read.find(b"\r\n\r\n")
        while end < 0:
            read += self._more()
            end = read.find(b"\r\n\r\n")
        first, *lines = read[:end].decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        left = int(headers.get("Content-Length", 0)) - (len(read) - end - 4)
        if left <= 0:
            return int(first[9:12]), headers, read[end + 4 :]
        pieces = [read[end + 4 :]]
        while left > 0:
            piece = self._more()
            pieces.append(piece)
            left -= len(piece)
        return int(first[9:12]), headers, b"".join(pieces)

    def _more(self):
        piece = self._socket.recv(READ_BYTES)
        if not piece:
            raise ConnectionError("the Runtime API has hung up")
        return piece


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

    def header(self):
        name = re.sub(r"[^ -~]", "?", self.error_type)[:256]
        return "Lambda-Runtime-Function-Error-Type: %s\r\n" % name


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
    headers, event = connection.next()
    while True:
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("Lambda-Runtime-Trace-Id", "")
        request_id = LOG.request_id = headers.get("Lambda-Runtime-Aws-Request-Id", "")
        try:
            body = run(handler, headers, event)
        except Fault as fault:
            tell(fault)
            headers, event = connection.fail(request_id, fault)
            continue
        sys.stdout.flush()
        headers, event = connection.respond(request_id, body)


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
    except OSError:
        # Nobody is there any more who gives events.
        sys.exit(1)


main()
