// A handler of AWS's own library, unchanged. Build: go mod tidy && CGO_ENABLED=0 go build -o bootstrap .
package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Order int `json:"order"`
}

type answer struct {
	Order     int    `json:"order"`
	Calls     int    `json:"calls"`
	RequestID string `json:"requestId"`
}

// What is global lives as long as the process does: it goes up from call to call.
var calls int

func handler(ctx context.Context, in event) (answer, error) {
	calls++
	fmt.Println("order", in.Order)
	lc, _ := lambdacontext.FromContext(ctx)
	return answer{Order: in.Order, Calls: calls, RequestID: lc.AwsRequestID}, nil
}

func main() { lambda.Start(handler) }
