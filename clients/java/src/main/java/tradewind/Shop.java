package tradewind;

import com.tradewind.catalog.v1.CatalogServiceGrpc;
import com.tradewind.catalog.v1.CatalogServiceGrpc.CatalogServiceBlockingStub;
import com.tradewind.inventory.v1.InventoryServiceGrpc;
import com.tradewind.inventory.v1.InventoryServiceGrpc.InventoryServiceBlockingStub;
import com.tradewind.ordering.v1.Order;
import com.tradewind.ordering.v1.OrderStatus;
import com.tradewind.ordering.v1.OrderingServiceGrpc;
import com.tradewind.ordering.v1.OrderingServiceGrpc.OrderingServiceBlockingStub;
import com.tradewind.ordering.v1.WatchOrderRequest;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Deadline;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The services as a workload with a certificate sees them; every call is part of one trace. */
final class Shop implements AutoCloseable {
    private static final long CALL_SECONDS = 5;
    private static final long SETTLED_SECONDS = 60;
    private static final long PAUSE_MILLIS = 500;
    private static final Metadata.Key<String> TRACEPARENT =
            Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER);
    private static final SecureRandom RANDOM = new SecureRandom();

    /** A call that was not answered is made again: every request here has a request_id or changes nothing. */
    private static final Map<String, ?> RETRIES = Map.of("methodConfig", List.of(Map.of(
            "name", List.of(
                    Map.of("service", CatalogServiceGrpc.SERVICE_NAME),
                    Map.of("service", InventoryServiceGrpc.SERVICE_NAME),
                    Map.of("service", OrderingServiceGrpc.SERVICE_NAME)),
            "retryPolicy", Map.of(
                    "maxAttempts", 4.0,
                    "initialBackoff", "0.1s",
                    "maxBackoff", "2s",
                    "backoffMultiplier", 2.0,
                    "retryableStatusCodes", List.of("UNAVAILABLE")))));

    final String traceId = randomHex(16);
    private final List<ManagedChannel> channels = new ArrayList<>();
    private final Channel catalog;
    private final Channel inventory;
    private final Channel ordering;

    /**
     * Reads the certificate of a workload in the shop's folder; {@code peers} says where services answer that are not on the
     * documented ports.
     */
    Shop(Path folder, String identity, Map<String, String> peers) throws IOException {
        Path pki = folder.resolve("pki");
        ChannelCredentials credentials = TlsChannelCredentials.newBuilder()
                .trustManager(pki.resolve("ca.pem").toFile())
                .keyManager(pki.resolve(identity + ".pem").toFile(), pki.resolve(identity + ".key").toFile())
                .build();
        catalog = open(peers.getOrDefault("catalog", "localhost:7101"), credentials);
        ordering = open(peers.getOrDefault("ordering", "localhost:7102"), credentials);
        inventory = open(peers.getOrDefault("inventory", "localhost:7103"), credentials);
    }

    private Channel open(String address, ChannelCredentials credentials) {
        ManagedChannel channel = Grpc.newChannelBuilder(address, credentials)
                .defaultServiceConfig(RETRIES)
                .intercept(new Traced())
                .proxyDetector(target -> null)
                .build();
        channels.add(channel);
        return channel;
    }

    CatalogServiceBlockingStub catalog() {
        return CatalogServiceGrpc.newBlockingStub(catalog).withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS);
    }

    InventoryServiceBlockingStub inventory() {
        return InventoryServiceGrpc.newBlockingStub(inventory).withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS);
    }

    OrderingServiceBlockingStub ordering() {
        return OrderingServiceGrpc.newBlockingStub(ordering).withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS);
    }

    /** Follows an order until it is settled. A watch that ends before because a service stops is begun again. */
    Order settled(String orderId) {
        Order seen = Order.getDefaultInstance();
        var until = Deadline.after(SETTLED_SECONDS, TimeUnit.SECONDS);
        while (true) {
            try {
                var watch = OrderingServiceGrpc.newBlockingStub(ordering)
                        .withDeadline(until)
                        .watchOrder(WatchOrderRequest.newBuilder().setOrderId(orderId).build());
                while (watch.hasNext()) {
                    Order order = watch.next().getOrder();
                    if (order.getStatus() != seen.getStatus()) {
                        Main.say("order", orderId, word(order.getStatus()));
                    }
                    seen = order;
                }
                return seen;
            } catch (StatusRuntimeException error) {
                if (error.getStatus().getCode() != Status.Code.UNAVAILABLE) {
                    throw error;
                }
                pause();
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    /** STOCK_CONFIRMED. */
    static String word(OrderStatus status) {
        return status.name().replaceFirst("^ORDER_STATUS_", "");
    }

    static String randomHex(int length) {
        byte[] random = new byte[length];
        RANDOM.nextBytes(random);
        return HexFormat.of().formatHex(random);
    }

    @Override
    public void close() throws InterruptedException {
        for (ManagedChannel channel : channels) {
            channel.shutdown().awaitTermination(CALL_SECONDS, TimeUnit.SECONDS);
        }
    }

    /** Makes each call a new span of the trace. */
    private final class Traced implements ClientInterceptor {
        @Override
        public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
            return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
                @Override
                public void start(Listener<A> listener, Metadata headers) {
                    headers.put(TRACEPARENT, "00-%s-%s-01".formatted(traceId, randomHex(8)));
                    super.start(listener, headers);
                }
            };
        }
    }
}
