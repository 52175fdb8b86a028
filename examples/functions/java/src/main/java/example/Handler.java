package example;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.util.Map;

/** A handler of AWS's own interface, unchanged. */
public class Handler implements RequestHandler<Map<String, Object>, Map<String, Object>> {
  /** What is static lives as long as the process does: it goes up from call to call. */
  private static int calls = 0;

  @Override
  public Map<String, Object> handleRequest(Map<String, Object> event, Context context) {
    calls += 1;
    System.out.println("order " + event.get("order"));
    return Map.of("order", event.get("order"), "calls", calls, "requestId", context.getAwsRequestId());
  }
}
