package tradewind;

import com.tradewind.catalog.v1.CreateProductRequest;
import com.tradewind.catalog.v1.Product;
import com.tradewind.catalog.v1.RetireProductRequest;
import com.tradewind.inventory.v1.ReceiveStockRequest;
import com.tradewind.money.v1.Money;
import com.tradewind.ordering.v1.Address;
import com.tradewind.ordering.v1.CancellationReason;
import com.tradewind.ordering.v1.GetOrderRequest;
import com.tradewind.ordering.v1.Order;
import com.tradewind.ordering.v1.OrderLine;
import com.tradewind.ordering.v1.OrderStatus;
import com.tradewind.ordering.v1.PlaceOrderRequest;
import com.tradewind.ordering.v1.Recipient;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * Orders something as the shop's operator, follows the order to its end, and shows how the shop refuses.
 *
 * <p>TRADEWIND_DIR is the folder of the shop that runs (.tradewind); TRADEWIND_PEERS says where services answer that are not on
 * the documented ports, as in catalog=localhost:7101,ordering=localhost:7102.
 */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        Map<String, String> told = System.getenv();
        Map<String, String> peers = Arrays.stream(told.getOrDefault("TRADEWIND_PEERS", "").split(","))
                .filter(peer -> peer.contains("="))
                .map(peer -> peer.split("=", 2))
                .collect(Collectors.toMap(peer -> peer[0], peer -> peer[1]));
        Path folder = Path.of(told.getOrDefault("TRADEWIND_DIR", ".tradewind"));
        try (Shop shop = new Shop(folder, "operator", peers)) {
            run(shop);
        } catch (Exception error) {
            System.err.println("shop: " + error);
            System.exit(1);
        }
    }

    private static void run(Shop shop) throws Exception {
        say("trace", shop.traceId);

        // A product, and units of it. What creates it gives a position: an order that names it waits until ordering knows of it.
        String id = "java-" + Shop.randomHex(4);
        Money price = Money.newBuilder().setCurrency("GBP").setMinor(450).build();
        Product product = Product.newBuilder()
                .setProductId(id).setSku(id.toUpperCase(Locale.ROOT)).setName("Tea").setPrice(price).build();
        String position = shop.catalog().createProduct(creating(product)).getPosition();
        say("product", id);
        ReceiveStockRequest units = ReceiveStockRequest.newBuilder()
                .setRequestId(requestId()).setSku(product.getSku()).setLocation("main").setQuantity(10).build();
        say("stock", shop.inventory().receiveStock(units).getLevel().getAvailable(), "of", product.getSku());

        // An order that is confirmed. The same request again is the same order, however often it is sent.
        PlaceOrderRequest wanted = anOrder(id, "tok_ok").addAfter(position).build();
        Order order = shop.settled(shop.ordering().placeOrder(wanted).getOrder().getOrderId());
        String again = shop.ordering().placeOrder(wanted).getOrder().getOrderId();
        require(order.getStatus() == OrderStatus.ORDER_STATUS_CONFIRMED, "the order was to be confirmed");
        require(again.equals(order.getOrderId()), "one request made two orders");
        say("again", again, "the same order");

        // An order whose card is declined is accepted, and cancelled: its reason is in the order, for no call is refused.
        PlaceOrderRequest unpaid = anOrder(id, "tok_declined").addAfter(position).build();
        Order declined = shop.settled(shop.ordering().placeOrder(unpaid).getOrder().getOrderId());
        CancellationReason reason = declined.getCancellationReason();
        say("declined", Shop.word(declined.getStatus()), reason.name().replaceFirst("^CANCELLATION_REASON_", ""),
                declined.getCancellationDetail());
        require(reason == CancellationReason.CANCELLATION_REASON_PAYMENT_DECLINED, "its card was to be declined");

        // What is refused says why, for programs.
        PlaceOrderRequest.Builder malformed = anOrder(id, "tok_ok");
        malformed.getLinesBuilder(0).setQuantity(0);
        malformed.getRecipientBuilder().setEmail("nobody").getAddressBuilder().setCountry("UK");
        refused("INVALID_REQUEST", shop, malformed);
        refused("PRODUCT_NOT_FOUND", shop, anOrder("no-such-product", "tok_ok"));
        refused("PRICE_CHANGED", shop, anOrder(id, "tok_ok").setExpectedTotal(price.toBuilder().setMinor(1)));
        PlaceOrderRequest.Builder other = anOrder(id, "tok_ok").setRequestId(wanted.getRequestId());
        other.getLinesBuilder(0).setQuantity(3);
        refused("REQUEST_ID_REUSED", shop, other);
        Refusal.expect("PRODUCT_EXISTS", () -> shop.catalog().createProduct(creating(product)));
        GetOrderRequest unknown = GetOrderRequest.newBuilder().setOrderId(UUID.randomUUID().toString()).build();
        Refusal.expect("ORDER_NOT_FOUND", () -> shop.ordering().getOrder(unknown));
        RetireProductRequest retire =
                RetireProductRequest.newBuilder().setRequestId(requestId()).setProductId(id).build();
        String retired = shop.catalog().retireProduct(retire).getPosition();
        refused("PRODUCT_RETIRED", shop, anOrder(id, "tok_ok").addAfter(retired));
    }

    private static void refused(String reason, Shop shop, PlaceOrderRequest.Builder order) throws Exception {
        Refusal.expect(reason, () -> shop.ordering().placeOrder(order.build()));
    }

    private static CreateProductRequest creating(Product product) {
        return CreateProductRequest.newBuilder().setRequestId(requestId()).setProduct(product).build();
    }

    /** Two of a product, paid with a card that the provider knows by {@code token}. */
    private static PlaceOrderRequest.Builder anOrder(String productId, String token) {
        return PlaceOrderRequest.newBuilder()
                .setRequestId(requestId())
                .setCustomerId("java")
                .addLines(OrderLine.newBuilder().setProductId(productId).setQuantity(2))
                .setPaymentToken(token)
                .setRecipient(Recipient.newBuilder()
                        .setName("A Customer")
                        .setEmail("customer@example.org")
                        .setAddress(Address.newBuilder()
                                .setLine1("1 Harbour Street")
                                .setCity("Port Town")
                                .setPostalCode("10115")
                                .setCountry("GB")));
    }

    private static String requestId() {
        return UUID.randomUUID().toString();
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException(what);
        }
    }

    static void say(String what, Object... text) {
        String words = Arrays.stream(text).map(String::valueOf).collect(Collectors.joining(" "));
        System.out.printf("%-9s %s%n", what, words);
    }
}
