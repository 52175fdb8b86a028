// Reads PodTemplateSpecs as JSON, one a line, and prints what the profile `restricted` of the Pod Security Standards forbids
// in each: by the code with which Kubernetes itself admits pods.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

func main() {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		fail(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	decoder := json.NewDecoder(os.Stdin)
	for {
		var pod corev1.PodTemplateSpec
		err := decoder.Decode(&pod)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			fail(err)
		}
		results := evaluator.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec)
		aggregate := policy.AggregateCheckResults(results)
		if aggregate.Allowed {
			fmt.Println("allowed")
		} else {
			fmt.Println(aggregate.ForbiddenDetail())
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
