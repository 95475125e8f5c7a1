SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

tradewind := $(or $(CARGO_TARGET_DIR),target)/debug/tradewind
chaos := $(or $(CARGO_TARGET_DIR),target)/debug/chaos

# Always of the whole workspace, if only one program: cargo unifies features over all, and builds again where they differ.
# The first build has nothing to go on from; writing down what the next one could go on from is a fifth of what it costs.
cargo_build := $(if $(wildcard $(dir $(tradewind))),,CARGO_INCREMENTAL=0) cargo build --workspace --locked

.PHONY: help
help: ## list what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: tradewind ## start everything on this machine, play the scenarios, print what happened to each order
	@NATS_SERVER=$$(scripts/tools broker) && export NATS_SERVER && exec $(tradewind) demo

.PHONY: up
up: tradewind ## start everything on this machine and leave it running
	@NATS_SERVER=$$(scripts/tools nats) && export NATS_SERVER && exec $(tradewind) up --detach

.PHONY: down
down: tradewind ## stop what `make up` started
	@$(tradewind) down

.PHONY: clients
clients: tradewind ## build the clients in other languages and run them on the shop of `make up`; STRICT=1 skips none
	@TRADEWIND=$(tradewind) STRICT=$(STRICT) exec scripts/clients $(CLIENT)

.PHONY: build
build: cargo-present ## build everything for development
	@$(cargo_build)

# It is every service, the outside world and the command line in one: all that running the system takes.
.PHONY: tradewind
tradewind: cargo-present
	@$(cargo_build) --bin tradewind

.PHONY: test
test: cargo-present ## run all tests; they start a broker and databases of their own and leave nothing behind
	@NATS_SERVER=$$(scripts/tools nats) && oldest=$$(scripts/tools nats-floor) && PG_BIN=$$(scripts/tools postgres) \
		&& export NATS_SERVER PG_BIN && $(cargo_build) && failed=0 \
		&& { cargo test --workspace --locked --no-fail-fast || failed=1; } \
		&& echo "== what is about the broker again, with the oldest that is supported: $$("$$oldest" --version)" \
		&& { NATS_SERVER=$$oldest cargo test --workspace --locked --no-fail-fast --test it broker || failed=1; } \
		&& exit $$failed

.PHONY: conformance
conformance: cargo-present ## hold what the edge does beside public suites, in the folder DATA; SUITE=names picks some
	@NATS_SERVER=$$(scripts/tools nats) && PG_BIN=$$(scripts/tools postgres) && export NATS_SERVER PG_BIN \
		&& $(cargo_build) && DATA="$(DATA)" exec scripts/conformance $(SUITE)

.PHONY: chaos
chaos: cargo-present ## kill every service at every boundary while orders flow, and prove the books; SEED=n repeats one cell
	@NATS_SERVER=$$(scripts/tools nats) && PG_BIN=$$(scripts/tools postgres) && export NATS_SERVER PG_BIN \
		&& $(cargo_build) --bin chaos && exec $(chaos) $(if $(SEED),--seed $(SEED))

.PHONY: soak
soak: cargo-present ## the same with two replicas of every service on PostgreSQL, one killed every few seconds for two minutes
	@NATS_SERVER=$$(scripts/tools nats) && PG_BIN=$$(scripts/tools postgres) && export NATS_SERVER PG_BIN \
		&& $(cargo_build) --bin chaos && exec $(chaos) --soak

.PHONY: outage
outage: cargo-present ## freeze and kill, for a minute each, what a service needs that another needs, and count how often each is asked
	@NATS_SERVER=$$(scripts/tools nats) && export NATS_SERVER \
		&& $(cargo_build) --bin chaos && exec $(chaos) outage

.PHONY: attack
attack: cargo-present ## hold 10,000 slow connections, bodies of 1 GB and more against a gateway, while others are served
	@NATS_SERVER=$$(scripts/tools nats) && export NATS_SERVER && ulimit -n "$$(ulimit -H -n)" \
		&& $(cargo_build) && $(cargo_build) --release --bin gateway \
		&& ATTACKED=$(abspath $(or $(CARGO_TARGET_DIR),target)/release/gateway) \
			cargo test -p gateway --locked --test it attacks -- --ignored --nocapture

.PHONY: fuzz
fuzz: cargo-present ## search for input that a decoder or parser cannot take, 300 s each; TARGET=names, SECONDS=n, MINIMISE=1
	@exec scripts/fuzz $(if $(SECONDS),--seconds $(SECONDS)) $(if $(MINIMISE),--minimise) $(TARGET)

.PHONY: cluster
cluster: build ## start a real Kubernetes node on this machine, install the chart there, and run `helm test`
	@scripts/cluster up

.PHONY: cluster-test
cluster-test: build ## try on that node what a release goes through: deaths, upgrades, rollbacks, scaling, drains, who reaches whom
	@scripts/cluster test

.PHONY: cluster-down
cluster-down: ## end that node, and leave nothing of it but programs and images in .tools/cluster
	@scripts/cluster down

.PHONY: model
model: cargo-present ## explore every interleaving of the saga of two orders, and find the bugs planted in it
	@$(cargo_build) --bin saga-model && exec $(dir $(tradewind))saga-model --heard-again 4

.PHONY: bench
bench: cargo-present ## measure what the system does beside what this machine can do, and what an order costs; BENCH=options
	@NATS_SERVER=$$(scripts/tools nats) && PG_BIN=$$(scripts/tools postgres) && export NATS_SERVER PG_BIN \
		&& $(cargo_build) --release --bin tradewind --bin bench \
		&& { scripts/grpc-gateway $(or $(CARGO_TARGET_DIR),target)/release || echo "bench: nothing to hold the gateway against" >&2; } \
		&& exec $(or $(CARGO_TARGET_DIR),target)/release/bench $(BENCH)

.PHONY: check
check: cargo-present ## everything short of tests: format, lints, documentation, contracts, workflows, chart, alerts, dashboards, licences
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked --quiet
	@buf=$$(scripts/tools buf) && echo "buf lint" && "$$buf" lint
	@$(cargo_build) --bin tradewind && TRADEWIND=$(tradewind) scripts/breaking
	@scripts/protos --short
	@TRADEWIND=$(tradewind) scripts/catalogue
	@actionlint=$$(scripts/tools actionlint) && echo "actionlint" && "$$actionlint"
	@scripts/chart
	@scripts/monitoring
	@deny=$$(scripts/tools deny) && echo "cargo-deny check licenses bans sources" && "$$deny" --locked check licenses bans sources

.PHONY: semver
semver: cargo-present ## hold what is public in the kit beside the last release, or beside another commit: BASE=commit
	@BASE=$(BASE) exec scripts/semver

.PHONY: contracts
contracts: ## pack the contracts with their descriptors, for whoever builds against them, into target/contracts
	@scripts/protos --pack $(or $(CARGO_TARGET_DIR),target)/contracts

# What is released from then on binds whoever changes a contract; the bytes are kept of every release.
.PHONY: released
released: tradewind ## take the contracts as released: write down descriptors, bytes of events and requests, and who reads what
	@TRADEWIND=$(tradewind) scripts/breaking && $(tradewind) contracts write released/contracts.binpb \
		&& UPDATE_GOLDEN=1 cargo test --workspace --locked --quiet --test it -- released:: reads::what_each_service_reads \
		&& cp cli/src/compat/reads.txt released/reads.txt

.PHONY: new-service
new-service: ## make a service called NAME and put it wherever services are listed; docs/adding.md tells how to go on
	@scripts/new-service '$(NAME)'

.PHONY: new-service-test
new-service-test: cargo-present ## make one in a copy, have it react to orders, and run all that lists services; ten minutes
	@exec scripts/new-service-test

# What it takes is what the workspace takes.
.PHONY: examples
examples: cargo-present ## run the tests of a project of its own that is built on the kit
	@NATS_SERVER=$$(scripts/tools nats) && PG_BIN=$$(scripts/tools postgres) && export NATS_SERVER PG_BIN \
		&& { [[ examples/Cargo.lock -nt Cargo.lock ]] || cp Cargo.lock examples/; } && cd examples && cargo test

# Tests hold these beside what they are made from; here they are written instead. What reads them is no part of it.
golden := chart::the_chart_knows_the_contracts contracts_hold::the_service_graph_equals_its_golden_file events_document:: \
	authorization::the_document_says_who_may_do_what reads::what_each_service_reads migrations::migrations_only_expand \
	contracts::docs_contracts_html

.PHONY: golden
golden: cargo-present ## write anew what is made from contracts and tables: the chart's files, documents, golden files
	@PG_BIN=$$(scripts/tools postgres) && NATS_SERVER=$$(scripts/tools nats) && export NATS_SERVER PG_BIN \
		&& UPDATE_GOLDEN=1 cargo test --workspace --locked --quiet --test it -- $(golden)

.PHONY: images
images: ## build the container image of every program; scripts/images --help tells more
	@scripts/images

.PHONY: dashboards
dashboards: ## write Grafana's dashboards anew, of deploy/dashboards
	@scripts/dashboards

.PHONY: fmt
fmt: cargo-present ## format the source
	@cargo fmt --all

.PHONY: tools
tools: ## install every tool that is missing, and print where each is
	@scripts/tools nats nats-floor postgres clickhouse poppler grpcurl buf deny actionlint helm promtool compose buildah \
		protoc grpcio-tools protobufjs protoc-gen-es protoc-gen-go protoc-gen-go-grpc protoc-gen-grpc-java python-client \
		asyncapi-parser redocly openapi-spec-validator

.PHONY: cargo-present
cargo-present:
	@command -v cargo >/dev/null || { echo "make: no cargo here. Install Rust 1.95 or newer with rustup" >&2; exit 1; }
