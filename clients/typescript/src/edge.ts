// A customer at the front door, with a token and without a certificate: gRPC-Web and REST, by `fetch` alone, as in a browser.
import { fromJson, toJson } from "@bufbuild/protobuf";
import { createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

import {
  OrderingService,
  type PlaceOrderRequest,
  PlaceOrderRequestSchema,
  PlaceOrderResponseSchema,
} from "./gen/tradewind/ordering/v1/service_pb.js";
import { type Refusal, anOrder, refuses, say, settled, status } from "./orders.js";

const CALL_MS = 5_000;

// Orders by gRPC-Web, and again by REST: the id makes it one order, whichever way the request comes.
export async function throughTheEdge(gateway: string, token: string, productId: string, after: string[]): Promise<void> {
  const signedIn: Interceptor = (next) => async (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    const answer = await next(request);
    say("edge", "gRPC-Web", request.method.name, "request", answer.header.get("x-request-id"));
    return answer;
  };
  const transport = createGrpcWebTransport({ baseUrl: gateway, interceptors: [signedIn], defaultTimeoutMs: CALL_MS });
  const ordering = createClient(OrderingService, transport);

  // Whose order it is says the token.
  const wanted = anOrder(productId, "tok_ok", after);
  wanted.customerId = "";
  const { order } = await ordering.placeOrder(wanted);
  if (!order) throw new Error("a placed order without an order");
  const end = await settled(ordering, order.orderId);
  if (status(end) !== "CONFIRMED") throw new Error(`order ${order.orderId} is ${status(end)}`);
  await refuses("ORDER_NOT_FOUND", ordering.getOrder({ orderId: crypto.randomUUID() }));

  const rest = new Rest(gateway, token);
  const again = await rest.place(wanted);
  say("again", again, again === order.orderId ? "the same order" : "ANOTHER ORDER");
  if (again !== order.orderId) throw new Error("one request made two orders");
  for await (const told of rest.watch(order.orderId)) say("edge", "REST watches", told.order.orderId, told.order.status);
  const nothing = { ...wanted, requestId: crypto.randomUUID(), lines: [] };
  await refuses("INVALID_LINE_COUNT", rest.place(nothing), (error) => {
    if (error instanceof Refused) return error.refusal;
    throw error;
  });
}

class Refused extends Error {
  constructor(readonly refusal: Refusal) {
    super(`${refusal.code} ${refusal.reason}`);
  }
}

// The error of an answer, as AIP-193 has it.
interface Answer {
  error: { status: string; details?: Detail[] };
}

interface Detail {
  "@type": string;
  reason?: string;
  metadata?: Record<string, string>;
  fieldViolations?: { field: string; description: string }[];
}

// REST with JSON: the id of a request is its Idempotency-Key.
class Rest {
  constructor(
    private readonly gateway: string,
    private readonly token: string,
  ) {}

  async place(wanted: PlaceOrderRequest): Promise<string> {
    const body = toJson(PlaceOrderRequestSchema, { ...wanted, requestId: "" });
    const headers = { "content-type": "application/json", "idempotency-key": wanted.requestId };
    const answer = await this.ask("/v1/orders", { method: "POST", headers, body: JSON.stringify(body) });
    return fromJson(PlaceOrderResponseSchema, await answer.json(), { ignoreUnknownFields: true }).order?.orderId ?? "";
  }

  // The order at each change, a line each, until it is settled.
  async *watch(orderId: string): AsyncGenerator<{ order: { orderId: string; status: string } }> {
    const answer = await this.ask(`/v1/orders/${orderId}:watch`, { headers: { accept: "application/x-ndjson" } });
    let text = "";
    for await (const part of answer.body!.pipeThrough(new TextDecoderStream())) {
      text += part;
      for (let end; (end = text.indexOf("\n")) >= 0; text = text.slice(end + 1)) {
        if (end === 0) continue;
        const line = JSON.parse(text.slice(0, end));
        if (line.error) throw new Refused(read(line));
        yield line;
      }
    }
  }

  private async ask(path: string, asked: RequestInit): Promise<Response> {
    const headers = { ...asked.headers, authorization: `Bearer ${this.token}` };
    const answer = await fetch(this.gateway + path, { ...asked, headers });
    say("edge", "REST", asked.method ?? "GET", path, answer.status, "request", answer.headers.get("x-request-id"));
    if (!answer.ok) throw new Refused(read((await answer.json()) as Answer));
    return answer;
  }
}

function read({ error }: Answer): Refusal {
  const detail = (name: string) => error.details?.find((each) => each["@type"].endsWith(`/google.rpc.${name}`));
  const info = detail("ErrorInfo");
  const fields = detail("BadRequest")?.fieldViolations ?? [];
  return {
    code: error.status,
    reason: info?.reason ?? "",
    facts: info?.metadata ?? {},
    fields: Object.fromEntries(fields.map((each) => [each.field, each.description])),
  };
}
