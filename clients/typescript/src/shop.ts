// The services as a workload with a certificate sees them: gRPC over mTLS. Every call is part of one trace.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import type { DescService } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

import { CatalogService } from "./gen/tradewind/catalog/v1/service_pb.js";
import { InventoryService } from "./gen/tradewind/inventory/v1/service_pb.js";
import { OrderingService } from "./gen/tradewind/ordering/v1/service_pb.js";

const PORTS = { catalog: 7101, ordering: 7102, inventory: 7103 };
const CALL_MS = 5_000;
const ATTEMPTS = 4;

export type Peers = Record<string, string>;

export class Shop {
  readonly traceId = randomBytes(16).toString("hex");
  readonly catalog: Client<typeof CatalogService>;
  readonly inventory: Client<typeof InventoryService>;
  readonly ordering: Client<typeof OrderingService>;

  // `folder` is the shop's; `peers` says where services answer that are not on the documented ports.
  constructor(folder: string, peers: Peers, identity = "operator") {
    const read = (name: string) => readFileSync(join(folder, "pki", name));
    const nodeOptions = { ca: read("ca.pem"), cert: read(`${identity}.pem`), key: read(`${identity}.key`) };
    const client = <T extends DescService>(service: T, name: keyof typeof PORTS) => {
      const baseUrl = `https://${peers[name] ?? `localhost:${PORTS[name]}`}`;
      const interceptors = [retried, traced(this.traceId)];
      return createClient(service, createGrpcTransport({ baseUrl, nodeOptions, interceptors, defaultTimeoutMs: CALL_MS }));
    };
    this.catalog = client(CatalogService, "catalog");
    this.inventory = client(InventoryService, "inventory");
    this.ordering = client(OrderingService, "ordering");
  }
}

// Each attempt is a new span of the trace.
function traced(traceId: string): Interceptor {
  return (next) => (request) => {
    request.header.set("traceparent", `00-${traceId}-${randomBytes(8).toString("hex")}-01`);
    return next(request);
  };
}

// A call that was not answered is made again: every request here has a request_id or changes nothing. A service that asks for
// more time, or for no repetition, is obeyed. A stream is begun again by whoever reads it.
const retried: Interceptor = (next) => async (request) => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await next(request);
    } catch (error) {
      const { code, metadata } = ConnectError.from(error);
      const asked = metadata.get("grpc-retry-pushback-ms");
      if (request.stream || code !== Code.Unavailable || attempt === ATTEMPTS || Number(asked ?? 0) < 0) throw error;
      await setTimeout(asked === null ? 100 * 2 ** attempt * Math.random() : Number(asked));
    }
  }
};
