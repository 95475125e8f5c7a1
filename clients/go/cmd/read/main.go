// Reads what happens in a context as somebody outside: on from where it stopped, and what the broker has lost of the owner.
//
//	read [-once] reporting ordering
//
// `tradewind pki issue reporting --reads ordering` makes the certificate. TRADEWIND_DIR is the folder of the shop that runs
// (.tradewind), TRADEWIND_NATS_URL the broker (tls://localhost:7422), TRADEWIND_PEERS says where services answer that are not on
// the documented ports. How far it has read is in TRADEWIND_STATE (reporting-ordering.json). With -once it ends when it has all.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	eventlog "github.com/tradewind/tradewind/clients/go/gen/tradewind/eventlog/v1"
)

var ports = map[string]string{
	"catalog": "7101", "ordering": "7102", "inventory": "7103", "payment": "7104", "shipping": "7105", "notification": "7106",
	"identity": "7107", "analytics": "7108", "documents": "7109",
}

const (
	together = 256
	wait     = time.Second
)

func main() {
	once := flag.Bool("once", false, "end when everything is read")
	flag.Parse()
	if flag.NArg() != 2 || ports[flag.Arg(1)] == "" {
		fmt.Fprintln(os.Stderr, "read: a reader's name and a context are to be said: read reporting ordering")
		os.Exit(64)
	}
	if err := run(context.Background(), flag.Arg(0), flag.Arg(1), *once); err != nil {
		fmt.Fprintln(os.Stderr, "read:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name, about string, once bool) error {
	tls, err := identity(cmp.Or(os.Getenv("TRADEWIND_DIR"), ".tradewind"), name)
	if err != nil {
		return err
	}
	url := cmp.Or(os.Getenv("TRADEWIND_NATS_URL"), "tls://localhost:7422")
	// Whoever is granted something else waits for nothing.
	refused := make(chan error, 1)
	hear := func(_ *nats.Conn, _ *nats.Subscription, wrong error) {
		if errors.Is(wrong, nats.ErrPermissionViolation) && len(refused) == 0 {
			refused <- wrong
		}
	}
	broker, err := nats.Connect(
		url, nats.Secure(tls), nats.CustomInboxPrefix("_INBOX.READER."+name), nats.MaxReconnects(-1), nats.ErrorHandler(hear),
	)
	if err != nil {
		return fmt.Errorf("the broker at %s: %w", url, err)
	}
	defer broker.Close()
	address := "localhost:" + ports[about]
	for peer := range strings.SplitSeq(os.Getenv("TRADEWIND_PEERS"), ",") {
		if at, found := strings.CutPrefix(peer, about+"="); found {
			address = at
		}
	}
	channel, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(tls)), grpc.WithNoProxy())
	if err != nil {
		return err
	}
	defer channel.Close()
	places, err := open(cmp.Or(os.Getenv("TRADEWIND_STATE"), name+"-"+about+".json"))
	if err != nil {
		return err
	}
	reader := &Reader{Context: about, Places: places, Owner: eventlog.NewEventLogServiceClient(channel), Handle: say}

	// How far the log reaches, told every second; the last word counts.
	var latest atomic.Pointer[string]
	heard := func(message *nats.Msg) { head := string(message.Data); latest.Store(&head) }
	if _, err := broker.Subscribe("tw.head."+about, heard); err != nil {
		return err
	}
	js, err := jetstream.New(broker)
	if err != nil {
		return err
	}
	for {
		// What a log had before the stream was asked has come from there, or is lost.
		head := latest.Swap(nil)
		messages, err := fetch(ctx, js, "TW_PUBLIC_"+strings.ToUpper(about), name)
		if err != nil {
			fmt.Fprintln(os.Stderr, "broker", err)
			time.Sleep(wait)
		}
		if err := reader.Take(ctx, messages); err != nil {
			return err
		}
		if len(refused) > 0 {
			return <-refused
		}
		if head == nil || len(messages) > 0 {
			continue
		}
		log, ends, _ := strings.Cut(*head, " ")
		for partition, end := range strings.Split(ends, " ") {
			until, err := strconv.ParseUint(end, 10, 64)
			if err != nil {
				return fmt.Errorf("the head %q cannot be read: %w", *head, err)
			}
			if err := reader.Fill(ctx, log, uint32(partition), until); err != nil {
				return err
			}
		}
		if once {
			return nil
		}
	}
}

// What the stream has; nothing and why, while it is away.
func fetch(ctx context.Context, js jetstream.JetStream, stream, name string) ([]jetstream.Msg, error) {
	consumer, err := js.Consumer(ctx, stream, name)
	if err != nil {
		return nil, err
	}
	batch, err := consumer.Fetch(together, jetstream.FetchMaxWait(wait))
	if err != nil {
		return nil, err
	}
	var messages []jetstream.Msg
	for message := range batch.Messages() {
		messages = append(messages, message)
	}
	return messages, batch.Error()
}
