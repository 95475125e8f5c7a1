// Links the stubs of every contract, which all.go imports and of which it is told how many there are, beside the public packages in
// one program; what is registered twice would panic before main.
package main

import (
	"fmt"
	"os"
	"strconv"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	orderingv1 "github.com/tradewind/tradewind/clients/go/gen/tradewind/ordering/v1"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	service := orderingv1.File_tradewind_ordering_v1_service_proto.Services().ByName("OrderingService")
	route, ok := proto.GetExtension(service.Methods().ByName("PlaceOrder").Options(), annotations.E_Http).(*annotations.HttpRule)
	if !ok || route.GetPost() != "/v1/orders" {
		return fmt.Errorf("PlaceOrder's route is %v", route)
	}
	refused, err := status.New(codes.FailedPrecondition, "").WithDetails(&errdetails.ErrorInfo{Reason: "PRICE_CHANGED"})
	if err != nil {
		return err
	}
	if info, ok := refused.Details()[0].(*errdetails.ErrorInfo); !ok || info.GetReason() != "PRICE_CHANGED" {
		return fmt.Errorf("the refusal's details are %v", refused.Details())
	}
	var ours int
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if file.Package().Parent().Parent() == "tradewind" {
			ours++
		}
		return true
	})
	if len(os.Args) != 2 || os.Args[1] != strconv.Itoa(ours) {
		return fmt.Errorf("%d contracts are linked: the imports lack some", ours)
	}
	fmt.Printf("%d files beside genproto\n", ours)
	return nil
}
