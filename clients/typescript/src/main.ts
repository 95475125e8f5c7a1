// Orders something as the shop's operator, follows the order to its end, and shows how the shop refuses; then orders as a
// customer at the front door.
//
// TRADEWIND_DIR is the folder of the shop that runs (.tradewind); TRADEWIND_PEERS says where services answer that are not on the
// documented ports, as in catalog=localhost:7101,ordering=localhost:7102. TRADEWIND_TOKEN is a customer's access token: without
// one, nobody goes to the front door, TRADEWIND_GATEWAY (http://localhost:8080).
import { randomBytes } from "node:crypto";

import { create } from "@bufbuild/protobuf";

import { throughTheEdge } from "./edge.js";
import { MoneySchema } from "./gen/tradewind/money/v1/money_pb.js";
import { CancellationReason } from "./gen/tradewind/ordering/v1/events_pb.js";
import { anOrder, refuses, say, settled, status } from "./orders.js";
import { Shop } from "./shop.js";

const { TRADEWIND_DIR, TRADEWIND_PEERS, TRADEWIND_GATEWAY, TRADEWIND_TOKEN } = process.env;
const peers = Object.fromEntries((TRADEWIND_PEERS ?? "").split(",").filter(Boolean).map((peer) => peer.split("=", 2)));
const { traceId, catalog, inventory, ordering } = new Shop(TRADEWIND_DIR || ".tradewind", peers);
const id = () => crypto.randomUUID();
say("trace", traceId);

// A product, and units of it. What creates it gives a position: an order that names it waits until ordering knows of it.
const productId = `typescript-${randomBytes(4).toString("hex")}`;
const sku = productId.toUpperCase();
const product = { productId, sku, name: "Tea", price: { currency: "GBP", minor: 450n } };
const created = await catalog.createProduct({ requestId: id(), product });
say("product", productId);
const { level } = await inventory.receiveStock({ requestId: id(), sku, location: "main", quantity: 10n });
say("stock", `${level?.available} of ${sku}`);

// An order that is confirmed. The same request again is the same order, however often it is sent.
const place = async (wanted: Parameters<typeof ordering.placeOrder>[0]) => {
  const { order } = await ordering.placeOrder(wanted);
  if (!order) throw new Error("a placed order without an order");
  return order.orderId;
};
const wanted = anOrder(productId, "tok_ok", [created.position]);
const orderId = await place(wanted);
const end = await settled(ordering, orderId);
const again = await place(wanted);
say("again", again, again === orderId ? "the same order" : "ANOTHER ORDER");
if (status(end) !== "CONFIRMED" || again !== orderId) process.exit(1);

// An order whose card is declined is accepted, and cancelled: its reason is in the order, for no call is refused.
const declined = await settled(ordering, await place(anOrder(productId, "tok_declined", [created.position])));
const reason = CancellationReason[declined.cancellationReason];
say("declined", status(declined), reason, declined.cancellationDetail);
if (declined.cancellationReason !== CancellationReason.PAYMENT_DECLINED) process.exit(1);

// What is refused says why, for programs.
const malformed = anOrder(productId, "tok_ok", []);
malformed.lines[0]!.quantity = 0;
malformed.recipient!.email = "nobody";
malformed.recipient!.address!.country = "UK";
await refuses("INVALID_REQUEST", place(malformed));
await refuses("PRODUCT_NOT_FOUND", place(anOrder("no-such-product", "tok_ok", [])));
const cheaper = anOrder(productId, "tok_ok", []);
cheaper.expectedTotal = create(MoneySchema, { currency: "GBP", minor: 1n });
await refuses("PRICE_CHANGED", place(cheaper));
const other = anOrder(productId, "tok_ok", []);
other.requestId = wanted.requestId;
other.lines[0]!.quantity = 3;
await refuses("REQUEST_ID_REUSED", place(other));
await refuses("PRODUCT_EXISTS", catalog.createProduct({ requestId: id(), product }));
await refuses("ORDER_NOT_FOUND", ordering.getOrder({ orderId: id() }));

if (TRADEWIND_TOKEN) {
  await throughTheEdge(TRADEWIND_GATEWAY || "http://localhost:8080", TRADEWIND_TOKEN, productId, [created.position]);
}

const retired = await catalog.retireProduct({ requestId: id(), productId });
await refuses("PRODUCT_RETIRED", place(anOrder(productId, "tok_ok", [retired.position])));
// Connections are kept for more calls; there are none.
process.exit(0);
