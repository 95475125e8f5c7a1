package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	stream "github.com/cloudevents/sdk-go/protocol/nats_jetstream/v2"
	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "github.com/tradewind/tradewind/clients/go/gen/tradewind/catalog/v1"
	eventlog "github.com/tradewind/tradewind/clients/go/gen/tradewind/eventlog/v1"
	_ "github.com/tradewind/tradewind/clients/go/gen/tradewind/identity/v1"
	_ "github.com/tradewind/tradewind/clients/go/gen/tradewind/inventory/v1"
	_ "github.com/tradewind/tradewind/clients/go/gen/tradewind/ordering/v1"
	_ "github.com/tradewind/tradewind/clients/go/gen/tradewind/payment/v1"
	_ "github.com/tradewind/tradewind/clients/go/gen/tradewind/shipping/v1"
)

const call = 5 * time.Second

// Places is how far a context is read: of which log, and to which position of each partition.
type Places struct {
	Log       string            `json:"log"`
	Positions map[uint32]uint64 `json:"positions"`
	path      string
}

func open(path string) (*Places, error) {
	places := &Places{Positions: map[uint32]uint64{}, path: path}
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return places, nil
	}
	if err != nil {
		return nil, err
	}
	return places, json.Unmarshal(text, places)
}

// At is the last position that is read. Another log begins anew.
func (places *Places) At(log string, partition uint32) uint64 {
	if log != places.Log {
		places.Log, places.Positions = log, map[uint32]uint64{}
	}
	return places.Positions[partition]
}

// Save replaces the file as a whole.
func (places *Places) Save() error {
	text, err := json.Marshal(places)
	if err != nil {
		return err
	}
	if err := os.WriteFile(places.path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(places.path+".new", places.path)
}

// Reader reads one context. What it makes of an event is Handle.
type Reader struct {
	Context string
	Places  *Places
	Owner   eventlog.EventLogServiceClient
	Handle  func(event *cloudevents.Event, by string) error
}

// Take handles what the stream has, remembers how far that was, and acknowledges it.
func (reader *Reader) Take(ctx context.Context, messages []jetstream.Msg) error {
	for _, message := range messages {
		received := stream.NewMessage(&nats.Msg{Subject: message.Subject(), Header: message.Headers(), Data: message.Data()})
		event, err := binding.ToEvent(ctx, received)
		if err != nil {
			return fmt.Errorf("a message of %s is no event: %w", message.Subject(), err)
		}
		// Another context's has strayed here, and says nothing of this log.
		if event.Source() != "/tradewind/"+reader.Context {
			continue
		}
		log, partition, position, err := place(event)
		if err != nil {
			return err
		}
		if err := reader.Fill(ctx, log, partition, position-1); err != nil {
			return err
		}
		if position > reader.Places.At(log, partition) {
			if err := reader.done(event, "stream"); err != nil {
				return err
			}
		}
	}
	if len(messages) == 0 {
		return nil
	}
	if err := reader.Places.Save(); err != nil {
		return err
	}
	// Whoever acknowledges one has acknowledged all before it.
	return messages[len(messages)-1].Ack()
}

// Fill handles of the owner what is missing up to a position.
func (reader *Reader) Fill(ctx context.Context, log string, partition uint32, until uint64) error {
	for {
		after := reader.Places.At(log, partition)
		if after >= until {
			return nil
		}
		limit := uint32(min(until-after, 1000))
		patience, cancel := context.WithTimeout(ctx, call)
		page, err := reader.Owner.ReadLog(patience, &eventlog.ReadLogRequest{Partition: partition, After: after, Limit: limit})
		cancel()
		if err != nil {
			return err
		}
		// A log that was replaced meanwhile is begun from the first event, when the next message or head names it.
		if page.GetIncarnation() != log || len(page.GetEvents()) == 0 {
			return nil
		}
		for _, record := range page.GetEvents() {
			if err := reader.done(reader.recorded(record, log), "owner"); err != nil {
				return err
			}
		}
		if err := reader.Places.Save(); err != nil {
			return err
		}
	}
}

func (reader *Reader) done(event *cloudevents.Event, by string) error {
	log, partition, position, err := place(event)
	if err != nil {
		return err
	}
	if err := reader.Handle(event, by); err != nil {
		return err
	}
	reader.Places.At(log, partition)
	reader.Places.Positions[partition] = position
	return nil
}

// What the owner has, as the stream would have said it.
func (reader *Reader) recorded(record *eventlog.EventRecord, log string) *cloudevents.Event {
	event := cloudevents.NewEvent()
	event.SetID(record.GetId())
	event.SetType(record.GetType())
	event.SetSource("/tradewind/" + reader.Context)
	event.SetSubject(record.GetKey())
	event.SetTime(record.GetTime().AsTime())
	event.SetExtension("log", log)
	event.SetExtension("partition", strconv.FormatUint(uint64(record.GetPartition()), 10))
	event.SetExtension("position", strconv.FormatUint(record.GetPosition(), 10))
	event.SetDataContentType("application/protobuf")
	event.DataEncoded = record.GetPayload()
	return &event
}

func place(event *cloudevents.Event) (log string, partition uint32, position uint64, err error) {
	said := event.Extensions()
	log, _ = said["log"].(string)
	text, _ := said["partition"].(string)
	number, wrong := strconv.ParseUint(text, 10, 32)
	text, _ = said["position"].(string)
	position, also := strconv.ParseUint(text, 10, 64)
	return log, uint32(number), position, errors.Join(wrong, also)
}

// Prints an event; of a type that is not known here no more than its name.
func say(event *cloudevents.Event, by string) error {
	if err := event.Validate(); err != nil {
		return err
	}
	_, partition, position, err := place(event)
	if err != nil {
		return err
	}
	var fields []string
	if kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(event.Type())); err == nil {
		message := kind.New().Interface()
		if err := proto.Unmarshal(event.Data(), message); err != nil {
			return err
		}
		declared := message.ProtoReflect().Descriptor().Fields()
		for at := range declared.Len() {
			if message.ProtoReflect().Has(declared.Get(at)) {
				fields = append(fields, string(declared.Get(at).Name()))
			}
		}
	}
	name := event.Type()[strings.LastIndex(event.Type(), ".")+1:]
	fmt.Printf("event     %d/%d %s %s by %s: %s\n", partition, position, name, event.Subject(), by, strings.Join(fields, " "))
	return nil
}

// identity is what a workload of the shop proves who it is with.
func identity(folder, name string) (*tls.Config, error) {
	pki := filepath.Join(folder, "pki")
	roots, err := os.ReadFile(filepath.Join(pki, "ca.pem"))
	if err != nil {
		return nil, err
	}
	own, err := tls.LoadX509KeyPair(filepath.Join(pki, name+".pem"), filepath.Join(pki, name+".key"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(roots) {
		return nil, errors.New("ca.pem holds no certificate")
	}
	return &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS13}, nil
}
