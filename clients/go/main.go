// Orders something as the shop's operator, follows the order to its end, and shows how the shop refuses.
//
// TRADEWIND_DIR is the folder of the shop that runs (.tradewind); TRADEWIND_PEERS says where services answer that are not on the
// documented ports, as in catalog=localhost:7101,ordering=localhost:7102.
package main

//go:generate buf generate ../.. --template buf.gen.yaml --path ../../proto/tradewind

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	catalog "github.com/tradewind/tradewind/clients/go/gen/tradewind/catalog/v1"
	inventory "github.com/tradewind/tradewind/clients/go/gen/tradewind/inventory/v1"
	money "github.com/tradewind/tradewind/clients/go/gen/tradewind/money/v1"
	ordering "github.com/tradewind/tradewind/clients/go/gen/tradewind/ordering/v1"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	peers := map[string]string{}
	for _, peer := range strings.FieldsFunc(os.Getenv("TRADEWIND_PEERS"), func(letter rune) bool { return letter == ',' }) {
		name, address, _ := strings.Cut(peer, "=")
		peers[name] = address
	}
	shop, err := Open(cmp.Or(os.Getenv("TRADEWIND_DIR"), ".tradewind"), "operator", peers)
	if err != nil {
		return err
	}
	say("trace", shop.TraceID)

	// A product, and units of it. What creates it gives a position: an order that names it waits until ordering knows of it.
	id := "go-" + randomHex(4)
	product := &catalog.Product{
		ProductId: id, Sku: strings.ToUpper(id), Name: "Tea", Price: &money.Money{Currency: "GBP", Minor: 450},
	}
	create := func() (*catalog.CreateProductResponse, error) {
		return shop.Catalog.CreateProduct(ctx, &catalog.CreateProductRequest{RequestId: randomHex(16), Product: product})
	}
	created, err := create()
	if err != nil {
		return err
	}
	say("product", id)
	received, err := shop.Inventory.ReceiveStock(ctx, &inventory.ReceiveStockRequest{
		RequestId: randomHex(16), Sku: product.GetSku(), Location: "main", Quantity: 10,
	})
	if err != nil {
		return err
	}
	say("stock", received.GetLevel().GetAvailable(), "of", product.GetSku())

	if err := confirmed(ctx, shop, id, created.GetPosition()); err != nil {
		return err
	}
	if err := declined(ctx, shop, id, created.GetPosition()); err != nil {
		return err
	}

	// What is refused says why, for programs.
	place := func(request *ordering.PlaceOrderRequest) error {
		_, err := shop.Ordering.PlaceOrder(ctx, request)
		return err
	}
	malformed := anOrder(id, "tok_ok")
	malformed.Lines[0].Quantity = 0
	malformed.Recipient.Email = "nobody"
	malformed.Recipient.Address.Country = "UK"
	unknown := anOrder("no-such-product", "tok_ok")
	cheaper := anOrder(id, "tok_ok")
	cheaper.ExpectedTotal = &money.Money{Currency: "GBP", Minor: 1}
	_, twice := create()
	_, missing := shop.Ordering.GetOrder(ctx, &ordering.GetOrderRequest{OrderId: "019a0000-0000-7000-8000-000000000000"})
	wrong := errors.Join(
		refused("INVALID_REQUEST", place(malformed)),
		refused("PRODUCT_NOT_FOUND", place(unknown)),
		refused("PRICE_CHANGED", place(cheaper)),
		refused("PRODUCT_EXISTS", twice),
		refused("ORDER_NOT_FOUND", missing),
	)
	retired, err := shop.Catalog.RetireProduct(ctx, &catalog.RetireProductRequest{RequestId: randomHex(16), ProductId: id})
	if err != nil {
		return errors.Join(wrong, err)
	}
	return errors.Join(wrong, refused("PRODUCT_RETIRED", place(anOrder(id, "tok_ok", retired.GetPosition()))))
}

// An order that is confirmed. The same request again is the same order, however often it is sent; another under its id is refused.
func confirmed(ctx context.Context, shop *Shop, product, position string) error {
	wanted := anOrder(product, "tok_ok", position)
	placed, err := shop.Ordering.PlaceOrder(ctx, wanted)
	if err != nil {
		return err
	}
	order, err := shop.Settled(ctx, placed.GetOrder().GetOrderId())
	if err != nil {
		return err
	}
	if order.GetStatus() != ordering.OrderStatus_ORDER_STATUS_CONFIRMED {
		return fmt.Errorf("order %s is %s: %s", order.GetOrderId(), word(order), order.GetCancellationDetail())
	}
	again, err := shop.Ordering.PlaceOrder(ctx, wanted)
	if err != nil {
		return err
	}
	if again.GetOrder().GetOrderId() != order.GetOrderId() {
		return errors.New("one request made two orders")
	}
	say("again", again.GetOrder().GetOrderId(), "the same order")
	wanted.Lines[0].Quantity++
	_, err = shop.Ordering.PlaceOrder(ctx, wanted)
	return refused("REQUEST_ID_REUSED", err)
}

// An order whose card is declined is accepted, and cancelled: its reason is in the order, for no call is refused.
func declined(ctx context.Context, shop *Shop, product, position string) error {
	placed, err := shop.Ordering.PlaceOrder(ctx, anOrder(product, "tok_declined", position))
	if err != nil {
		return err
	}
	order, err := shop.Settled(ctx, placed.GetOrder().GetOrderId())
	if err != nil {
		return err
	}
	reason := strings.TrimPrefix(order.GetCancellationReason().String(), "CANCELLATION_REASON_")
	say("declined", word(order), reason, order.GetCancellationDetail())
	if order.GetCancellationReason() != ordering.CancellationReason_CANCELLATION_REASON_PAYMENT_DECLINED {
		return fmt.Errorf("order %s was to be cancelled for its card", order.GetOrderId())
	}
	return nil
}

// Two of a product, paid with a card that the provider knows by token. The order sees the writes whose positions after has.
func anOrder(product, token string, after ...string) *ordering.PlaceOrderRequest {
	return &ordering.PlaceOrderRequest{
		RequestId:    randomHex(16),
		CustomerId:   "go",
		Lines:        []*ordering.OrderLine{{ProductId: product, Quantity: 2}},
		PaymentToken: token,
		Recipient: &ordering.Recipient{
			Name:    "A Customer",
			Email:   "customer@example.org",
			Address: &ordering.Address{Line1: "1 Harbour Street", City: "Port Town", PostalCode: "10115", Country: "GB"},
		},
		After: after,
	}
}
