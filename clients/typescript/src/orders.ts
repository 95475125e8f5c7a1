// Orders, and why something is refused, the same in whatever way the shop is asked: nothing here is of Node alone.
import { create } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError } from "@connectrpc/connect";

import { BadRequestSchema, ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import {
  type Order,
  OrderStatus,
  type OrderingService,
  type PlaceOrderRequest,
  PlaceOrderRequestSchema,
} from "./gen/tradewind/ordering/v1/service_pb.js";

const SETTLED_MS = 60_000;
const PAUSE_MS = 500;

export const say = (what: string, ...text: unknown[]) => console.log(what.padEnd(9), ...text);

// STOCK_CONFIRMED
export const status = (order: Order) => OrderStatus[order.status];

// Two of a product, paid with a card that the provider knows by `token`. The order sees the writes whose positions `after` has.
export const anOrder = (productId: string, token: string, after: string[]): PlaceOrderRequest =>
  create(PlaceOrderRequestSchema, {
    requestId: crypto.randomUUID(),
    customerId: "typescript",
    lines: [{ productId, quantity: 2 }],
    paymentToken: token,
    recipient: {
      name: "A Customer",
      email: "customer@example.org",
      address: { line1: "1 Harbour Street", city: "Port Town", postalCode: "10115", country: "GB" },
    },
    after,
  });

// Follows an order until it is settled. A watch that ends before because a service stops is begun again.
export async function settled(ordering: Client<typeof OrderingService>, orderId: string): Promise<Order> {
  let seen: Order | undefined;
  const signal = AbortSignal.timeout(SETTLED_MS);
  for (;;) {
    try {
      for await (const { order } of ordering.watchOrder({ orderId }, { signal })) {
        if (order && order.status !== seen?.status) say("order", orderId, status(order));
        seen = order;
      }
      if (seen) return seen;
    } catch (error) {
      if (ConnectError.from(error).code !== Code.Unavailable) throw error;
      await new Promise((resume) => setTimeout(resume, PAUSE_MS));
    }
  }
}

// What a refused call says for programs: a stable reason, facts, and the fields at fault.
export interface Refusal {
  code: string;
  reason: string;
  facts: Record<string, string>;
  fields: Record<string, string>;
}

export function refusal(error: unknown): Refusal {
  const refused = ConnectError.from(error);
  const [info] = refused.findDetails(ErrorInfoSchema);
  const [request] = refused.findDetails(BadRequestSchema);
  const code = (Code[refused.code] ?? "").replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
  const fields = Object.fromEntries((request?.fieldViolations ?? []).map((each) => [each.field, each.description]));
  return { code, reason: info?.reason ?? "", facts: info?.metadata ?? {}, fields };
}

// Sees to it that what is asked is refused for that reason.
export async function refuses(reason: string, asked: Promise<unknown>, read = refusal): Promise<void> {
  const answer = await asked.then(
    () => undefined,
    (error: unknown) => read(error),
  );
  if (!answer) throw new Error(`that was to be refused as ${reason}, and was not`);
  const told = Object.entries(answer.fields).map(([field, text]) => `${field}: ${text}`);
  const facts = Object.entries(answer.facts).map(([key, value]) => `${key}=${value}`);
  say("refused", answer.code, answer.reason, `(${[...told, ...facts.sort()].join("; ")})`);
  if (answer.reason !== reason) throw new Error(`that was to be refused as ${reason}`);
}
