// The function of the suite of runtimes, by AWS's library for Go: does what its event says.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type order struct {
	Task      string `json:"task"`
	Bytes     int    `json:"bytes"`
	ErrorType string `json:"errorType"`
	Message   string `json:"message"`
	Status    int    `json:"status"`
	Place     string `json:"place"`
}

var calls = 0

func main() {
	if os.Getenv("BROKEN") != "" {
		panic("broken at its start")
	}
	lambda.Start(handler)
}

func handler(ctx context.Context, event json.RawMessage) (any, error) {
	calls++
	count()
	var it order
	// An event of AWS is no order, and goes back as it came.
	_ = json.Unmarshal(event, &it)
	switch it.Task {
	case "returnNull":
		return nil, nil
	case "returnBytes":
		return strings.Repeat("x", it.Bytes-2), nil
	case "throw":
		return nil, messages.InvokeResponse_Error{Type: it.ErrorType, Message: it.Message}
	case "fail":
		return nil, errors.New(it.Message)
	case "panic":
		panic(it.Message)
	case "exit":
		os.Exit(it.Status)
	case "mark":
		must(os.WriteFile(mark(), nil, 0o600))
		hang()
	case "hang":
		hang()
	case "block":
		for {
		}
	case "tell":
		return tell(ctx), nil
	case "meet":
		meet(it.Place)
		return tell(ctx), nil
	case "stream":
		return strings.NewReader(strings.Repeat("stream", it.Bytes/6)), nil
	case "breakStream":
		return io.MultiReader(strings.NewReader("begun"), broken{}), nil
	}
	return event, nil
}

func count() {
	place := os.Getenv("EXECUTIONS_FILE")
	if place == "" {
		return
	}
	file, err := os.OpenFile(place, os.O_APPEND|os.O_WRONLY, 0o600)
	must(err)
	_, err = file.WriteString(".")
	must(err)
	must(file.Close())
}

func tell(ctx context.Context) any {
	said, _ := lambdacontext.FromContext(ctx)
	_, err := os.Stat(mark())
	return map[string]any{
		"calls":       calls,
		"pid":         os.Getpid(),
		"requestId":   said.AwsRequestID,
		"functionArn": said.InvokedFunctionArn,
		"marked":      err == nil,
		"folder":      os.TempDir(),
		"custom":      said.ClientContext.Custom,
	}
}

func mark() string {
	return filepath.Join(os.TempDir(), "mark")
}

func hang() {
	time.Sleep(1000 * time.Hour)
}

func meet(place string) {
	must(os.WriteFile(filepath.Join(place, strconv.Itoa(os.Getpid())), nil, 0o600))
	for {
		files, err := os.ReadDir(place)
		must(err)
		if len(files) >= 2 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) {
	return 0, errors.New("the stream broke")
}

func must(err error) {
	if err != nil {
		panic(fmt.Sprint(err))
	}
}
