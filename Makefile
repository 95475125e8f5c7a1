SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

tradewind := $(or $(CARGO_TARGET_DIR),target)/debug/tradewind

# Always the whole workspace: cargo unifies features over what is built together, and builds again where that differs.
cargo_build := cargo build --workspace --locked

.PHONY: help
help: ## list what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## start everything on this machine, play the scenarios, print what happened to each order
	@NATS_SERVER=$$(scripts/tools nats) && export NATS_SERVER && exec $(tradewind) demo

.PHONY: up
up: build ## start everything on this machine and leave it running
	@NATS_SERVER=$$(scripts/tools nats) && export NATS_SERVER && exec $(tradewind) up --detach

.PHONY: down
down: build ## stop what `make up` started
	@$(tradewind) down

.PHONY: build
build: cargo-present ## build everything for development
	@$(cargo_build)

.PHONY: test
test: cargo-present ## run all tests; they start a broker and databases of their own and leave nothing behind
	@NATS_SERVER=$$(scripts/tools nats) && PG_BIN=$$(scripts/tools postgres) && export NATS_SERVER PG_BIN \
		&& $(cargo_build) && cargo test --workspace --locked --no-fail-fast

.PHONY: check
check: cargo-present ## everything short of tests: format, lints, documentation, contracts, licences
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked --quiet
	@buf=$$(scripts/tools buf) && echo "buf lint" && "$$buf" lint
	@scripts/breaking
	@deny=$$(scripts/tools deny) && echo "cargo-deny check licenses bans sources" && "$$deny" --locked check licenses bans sources

.PHONY: fmt
fmt: cargo-present ## format the source
	@cargo fmt --all

.PHONY: tools
tools: ## install every tool that is missing, and print where each is
	@scripts/tools nats postgres grpcurl buf deny

.PHONY: cargo-present
cargo-present:
	@command -v cargo >/dev/null || { echo "make: no cargo here. Install Rust 1.95 or newer with rustup" >&2; exit 1; }
