import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;

/** The function of the suite of runtimes, by AWS's client for Java: does what its event says. */
public class Handler implements RequestHandler<Map<String, Object>, Object> {
  private int calls = 0;

  public Handler() {
    if (System.getenv("BROKEN") != null) throw new IllegalStateException("broken at its start");
  }

  @Override
  public Object handleRequest(Map<String, Object> event, Context context) {
    calls += 1;
    try {
      count();
      return handle(event, context);
    } catch (IOException | InterruptedException error) {
      throw new IllegalStateException(error);
    }
  }

  private Object handle(Map<String, Object> event, Context context) throws IOException, InterruptedException {
    // An event of AWS is no order, and goes back as it came.
    switch (String.valueOf(event.get("task"))) {
      case "returnNull":
        return null;
      case "returnBytes":
        return "x".repeat((Integer) event.get("bytes") - 2);
      case "throw":
        throw new PoisonError((String) event.get("message"));
      case "fail":
        throw new IllegalArgumentException((String) event.get("message"));
      case "exit":
        System.exit((Integer) event.getOrDefault("status", 0));
        return null;
      case "mark":
        Files.createFile(mark());
        Thread.sleep(Long.MAX_VALUE);
        return null;
      case "hang":
        Thread.sleep(Long.MAX_VALUE);
        return null;
      case "block":
        for (;;) {
          Thread.onSpinWait();
        }
      case "meet":
        meet(Path.of((String) event.get("place")));
        return tell(context);
      case "tell":
        return tell(context);
      default:
        return event;
    }
  }

  private static void count() throws IOException {
    String place = System.getenv("EXECUTIONS_FILE");
    if (place != null) Files.writeString(Path.of(place), ".", StandardOpenOption.APPEND);
  }

  private Map<String, Object> tell(Context context) {
    Map<String, Object> said = new HashMap<>();
    said.put("calls", calls);
    said.put("pid", ProcessHandle.current().pid());
    said.put("requestId", context.getAwsRequestId());
    said.put("functionArn", context.getInvokedFunctionArn());
    said.put("marked", Files.exists(mark()));
    said.put("folder", System.getenv("TMPDIR"));
    said.put("custom", context.getClientContext() == null ? null : context.getClientContext().getCustom());
    return said;
  }

  private static Path mark() {
    return Path.of(System.getenv("TMPDIR"), "mark");
  }

  private static void meet(Path place) throws IOException, InterruptedException {
    Files.createFile(place.resolve(String.valueOf(ProcessHandle.current().pid())));
    while (place.toFile().list().length < 2) Thread.sleep(10);
  }
}

class PoisonError extends RuntimeException {
  PoisonError(String message) {
    super(message);
  }
}
