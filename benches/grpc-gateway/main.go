// grpc-gateway before a service of the catalogue: what `bench --only edge` holds the gateway against.
//
// It speaks HTTP/1.1 and HTTP/2 without TLS to whoever asks, and gRPC over mutual TLS to the service. Answers leave fields out that
// hold nothing, as the gateway's do; everything else is as its makers have it.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"log"
	"net/http"
	"os"
	"sync/atomic"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/encoding/protojson"

	catalog "tradewind/benches/grpc-gateway/gen/tradewind/catalog/v1"
)

// connections takes one connection after the other.
type connections struct {
	all  []*grpc.ClientConn
	next atomic.Uint32
}

func (c *connections) one() *grpc.ClientConn {
	return c.all[c.next.Add(1)%uint32(len(c.all))]
}

func (c *connections) Invoke(ctx context.Context, method string, args, reply any, options ...grpc.CallOption) error {
	return c.one().Invoke(ctx, method, args, reply, options...)
}

func (c *connections) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, options ...grpc.CallOption) (grpc.ClientStream, error) {
	return c.one().NewStream(ctx, desc, method, options...)
}

func main() {
	listen := flag.String("listen", "", "address:port to answer on")
	upstream := flag.String("upstream", "", "address:port of the service")
	authority := flag.String("ca", "", "file with the certificate of the authority")
	certificate := flag.String("certificate", "", "file with the client's certificate")
	key := flag.String("key", "", "file with its key")
	number := flag.Uint("connections", 1, "how many connections to the service")
	flag.Parse()
	log.SetFlags(0)
	log.Fatal(serve(*listen, *upstream, *authority, *certificate, *key, max(1, int(*number))))
}

func serve(listen, upstream, authority, certificate, key string, number int) error {
	pem, err := os.ReadFile(authority)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return err
	}
	secure := credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots, ServerName: "localhost"})
	var pool connections
	for range number {
		connection, err := grpc.NewClient("passthrough:///"+upstream, grpc.WithTransportCredentials(secure))
		if err != nil {
			return err
		}
		pool.all = append(pool.all, connection)
	}
	json := &runtime.JSONPb{MarshalOptions: protojson.MarshalOptions{EmitUnpopulated: false}}
	mux := runtime.NewServeMux(runtime.WithMarshalerOption(runtime.MIMEWildcard, json))
	client := catalog.NewCatalogServiceClient(&pool)
	if err := catalog.RegisterCatalogServiceHandlerClient(context.Background(), mux, client); err != nil {
		return err
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := http.Server{Addr: listen, Handler: mux, Protocols: &protocols}
	return server.ListenAndServe()
}
