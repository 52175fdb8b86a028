//! The function of the suite of runtimes, by AWS's crate for Rust: does what its event says.

use lambda_runtime::streaming::{channel, Body, Response};
use lambda_runtime::{run, service_fn, Context, Diagnostic, Error, FunctionResponse, LambdaEvent};
use serde_json::{json, Value};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

static CALLS: AtomicU64 = AtomicU64::new(0);

type Answer = FunctionResponse<Value, Body>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    if std::env::var_os("BROKEN").is_some() {
        return Err("broken at its start".into());
    }
    run(service_fn(handler)).await
}

async fn handler(event: LambdaEvent<Value>) -> Result<Answer, Diagnostic> {
    CALLS.fetch_add(1, Ordering::Relaxed);
    count();
    let LambdaEvent { payload, context } = event;
    let bytes = payload["bytes"].as_u64().unwrap_or(0) as usize;
    let message = payload["message"].as_str().unwrap_or("").to_string();
    // An event of AWS is no order, and goes back as it came.
    match payload["task"].as_str().unwrap_or("") {
        "returnNull" => buffered(Value::Null),
        "returnBytes" => buffered(Value::String("x".repeat(bytes - 2))),
        "throw" => Err(Diagnostic {
            error_type: payload["errorType"].as_str().unwrap_or("").to_string(),
            error_message: message,
        }),
        "fail" => {
            let error: Error = message.into();
            Err(error.into())
        }
        "panic" => panic!("{message}"),
        "exit" => std::process::exit(payload["status"].as_i64().unwrap_or(0) as i32),
        "mark" => {
            std::fs::write(mark(), "").unwrap();
            std::future::pending().await
        }
        "hang" => std::future::pending().await,
        "block" => loop {
            std::hint::spin_loop();
        },
        "tell" => buffered(tell(&context)),
        "meet" => {
            meet(Path::new(payload["place"].as_str().unwrap())).await;
            buffered(tell(&context))
        }
        "stream" => Ok(FunctionResponse::StreamingResponse(stream(bytes / 6))),
        _ => buffered(payload),
    }
}

fn buffered(value: Value) -> Result<Answer, Diagnostic> {
    Ok(FunctionResponse::BufferedResponse(value))
}

fn count() {
    if let Some(place) = std::env::var_os("EXECUTIONS_FILE") {
        let mut file = std::fs::OpenOptions::new().append(true).open(place).unwrap();
        file.write_all(b".").unwrap();
    }
}

fn tell(context: &Context) -> Value {
    json!({
        "calls": CALLS.load(Ordering::Relaxed),
        "pid": std::process::id(),
        "requestId": context.request_id,
        "functionArn": context.invoked_function_arn,
        "marked": mark().exists(),
        "folder": std::env::temp_dir(),
        "custom": context.client_context.as_ref().map(|client| &client.custom),
    })
}

fn mark() -> PathBuf {
    std::env::temp_dir().join("mark")
}

async fn meet(place: &Path) {
    std::fs::write(place.join(std::process::id().to_string()), "").unwrap();
    while std::fs::read_dir(place).unwrap().count() < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn stream(times: usize) -> Response<Body> {
    let (mut sender, body) = channel();
    tokio::spawn(async move {
        for _ in 0..times {
            if sender.send_data("stream".into()).await.is_err() {
                return;
            }
        }
    });
    Response::from(body)
}
