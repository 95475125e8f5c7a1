package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	catalog "github.com/tradewind/tradewind/clients/go/gen/tradewind/catalog/v1"
	inventory "github.com/tradewind/tradewind/clients/go/gen/tradewind/inventory/v1"
	ordering "github.com/tradewind/tradewind/clients/go/gen/tradewind/ordering/v1"
)

const (
	callTime    = 5 * time.Second
	settledTime = time.Minute
	pause       = time.Second / 2
)

// A call that was not answered is made again: every request here has a request_id or changes nothing.
const retries = `{"methodConfig": [{
	"name": [
		{"service": "tradewind.catalog.v1.CatalogService"},
		{"service": "tradewind.inventory.v1.InventoryService"},
		{"service": "tradewind.ordering.v1.OrderingService"}
	],
	"retryPolicy": {
		"maxAttempts": 4,
		"initialBackoff": "0.1s",
		"maxBackoff": "2s",
		"backoffMultiplier": 2,
		"retryableStatusCodes": ["UNAVAILABLE"]
	}
}]}`

// Shop is the services as a workload with a certificate sees them; every call is part of one trace.
type Shop struct {
	TraceID   string
	Catalog   catalog.CatalogServiceClient
	Inventory inventory.InventoryServiceClient
	Ordering  ordering.OrderingServiceClient
}

// Open reads the certificate of identity in folder, the shop's; peers says where services answer that are not on the documented
// ports.
func Open(folder, identity string, peers map[string]string) (*Shop, error) {
	pki := filepath.Join(folder, "pki")
	authority, err := os.ReadFile(filepath.Join(pki, "ca.pem"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return nil, errors.New("ca.pem holds no certificate")
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(pki, identity+".pem"), filepath.Join(pki, identity+".key"))
	if err != nil {
		return nil, err
	}
	shop := &Shop{TraceID: randomHex(16)}
	connect := func(name string, port int) (*grpc.ClientConn, error) {
		address, is := peers[name]
		if !is {
			address = fmt.Sprintf("localhost:%d", port)
		}
		return grpc.NewClient(address,
			grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}})),
			grpc.WithDefaultServiceConfig(retries),
			grpc.WithUnaryInterceptor(shop.call),
			grpc.WithStreamInterceptor(shop.stream),
			grpc.WithNoProxy(),
		)
	}
	of, err := connect("catalog", 7101)
	if err != nil {
		return nil, err
	}
	shop.Catalog = catalog.NewCatalogServiceClient(of)
	if of, err = connect("inventory", 7103); err != nil {
		return nil, err
	}
	shop.Inventory = inventory.NewInventoryServiceClient(of)
	if of, err = connect("ordering", 7102); err != nil {
		return nil, err
	}
	shop.Ordering = ordering.NewOrderingServiceClient(of)
	return shop, nil
}

func (s *Shop) call(ctx context.Context, method string, request, answer any, connection *grpc.ClientConn,
	invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	ctx, done := context.WithTimeout(s.traced(ctx), callTime)
	defer done()
	return invoke(ctx, method, request, answer, connection, options...)
}

func (s *Shop) stream(ctx context.Context, about *grpc.StreamDesc, connection *grpc.ClientConn, method string,
	open grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
	return open(s.traced(ctx), about, connection, method, options...)
}

// Each call is a new span of the trace.
func (s *Shop) traced(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "traceparent", fmt.Sprintf("00-%s-%s-01", s.TraceID, randomHex(8)))
}

// Settled follows an order until it is settled. A watch that ends before because a service stops is begun again.
func (s *Shop) Settled(ctx context.Context, id string) (*ordering.Order, error) {
	ctx, done := context.WithTimeout(ctx, settledTime)
	defer done()
	var seen *ordering.Order
	for {
		err := s.watch(ctx, id, &seen)
		if err == nil {
			return seen, nil
		}
		if status.Code(err) != codes.Unavailable {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

func (s *Shop) watch(ctx context.Context, id string, seen **ordering.Order) error {
	stream, err := s.Ordering.WatchOrder(ctx, &ordering.WatchOrderRequest{OrderId: id})
	if err != nil {
		return err
	}
	for {
		update, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if update.GetOrder().GetStatus() != (*seen).GetStatus() {
			say("order", id, word(update.GetOrder()))
		}
		*seen = update.GetOrder()
	}
}

// STOCK_CONFIRMED
func word(order *ordering.Order) string {
	return strings.TrimPrefix(order.GetStatus().String(), "ORDER_STATUS_")
}

func say(what string, text ...any) {
	fmt.Printf("%-9s %s", what, fmt.Sprintln(text...))
}

func randomHex(bytes int) string {
	random := make([]byte, bytes)
	rand.Read(random)
	return hex.EncodeToString(random)
}
