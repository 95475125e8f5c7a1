package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
)

// Refusal is what a refused call says for programs: a stable reason, facts, and the fields at fault.
type Refusal struct {
	Code   string
	Reason string
	Facts  map[string]string
	Fields []*errdetails.BadRequest_FieldViolation
}

func refusalOf(err error) Refusal {
	answer := status.Convert(err)
	refusal := Refusal{Code: code.Code(answer.Code()).String()}
	for _, detail := range answer.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			refusal.Reason, refusal.Facts = detail.GetReason(), detail.GetMetadata()
		case *errdetails.BadRequest:
			refusal.Fields = detail.GetFieldViolations()
		}
	}
	return refusal
}

func (r Refusal) String() string {
	var told []string
	for _, field := range r.Fields {
		told = append(told, field.GetField()+": "+field.GetDescription())
	}
	for _, key := range slices.Sorted(maps.Keys(r.Facts)) {
		told = append(told, key+"="+r.Facts[key])
	}
	return fmt.Sprintf("%s %s (%s)", r.Code, r.Reason, strings.Join(told, "; "))
}

// refused sees to it that a call was refused for that reason.
func refused(reason string, err error) error {
	if err == nil {
		return fmt.Errorf("that was to be refused as %s, and was not", reason)
	}
	refusal := refusalOf(err)
	say("refused", refusal)
	if refusal.Reason != reason {
		return fmt.Errorf("that was to be refused as %s", reason)
	}
	return nil
}
