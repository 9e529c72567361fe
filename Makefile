# Evenkeel. `make` alone lists the targets.

# What `evenkeel version` tells. The date is the commit's, so that two builds of
# one commit are the same.
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
REVISION ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
BRANCH   ?= $(shell git rev-parse --abbrev-ref HEAD 2>/dev/null || echo unknown)
DATE     ?= $(shell git log -1 --format=%cI 2>/dev/null || echo unknown)

PROM_VERSION := github.com/prometheus/common/version
LDFLAGS := -s -w \
	-X $(PROM_VERSION).Version=$(VERSION) \
	-X $(PROM_VERSION).Revision=$(REVISION) \
	-X $(PROM_VERSION).Branch=$(BRANCH) \
	-X $(PROM_VERSION).BuildDate=$(DATE)

FUZZTIME ?= 60s
CHAOS    ?= LosesNothing|LosesAndDoubles|LoseAndDouble|MayBeKilled|RetriesUntil
TOOL     := go tool -modfile=tools/go.mod

.PHONY: help build run fetch test lint tidy chaos bench fuzz clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

build: ## build bin/evenkeel (needs Go only, no C compiler)
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/evenkeel ./cmd/evenkeel

run: build ## build, get the ClickHouse engine, and start the demo on http://127.0.0.1:9095
	bin/evenkeel engine fetch
	bin/evenkeel demo

fetch: ## get what the tests run beside Evenkeel, into the user's cache folder
	@go run ./internal/rig/fetch

test: fetch ## run every test (EVENKEEL_SHARED=DIR adds those on recorded data)
	@scripts/test

lint: tidy ## vet, golangci-lint, go fix, govulncheck
	go vet ./...
	$(TOOL) golangci-lint run ./...
	@scripts/no-output "go fix has suggestions" go fix -diff ./...
	@scripts/vulnerabilities $(TOOL) govulncheck ./...

tidy: ## check that go.mod and go.sum say what is used
	go mod tidy -diff

chaos: fetch ## kill, fill, cut off and set the clock under load, and count to the last alert (about 10 minutes; full disks need root)
	EVENKEEL_CHAOS=1 go test -v -count=1 -p=1 -timeout=60m -run '$(CHAOS)' ./internal/endtoend ./internal/journal/... ./ingest/stream

bench: ## run the benchmarks
	go test -run='^$$' -bench=. -benchmem ./...

fuzz: ## fuzz every target for FUZZTIME=60s
	@scripts/fuzz $(FUZZTIME)

clean: ## remove what was built here (the cache folder stays)
	rm -rf bin
