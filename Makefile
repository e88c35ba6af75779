# What a contributor runs. `make help` lists it; .ci/run is what CI runs.

.DEFAULT_GOAL := help
.PHONY: help test race fips lint fuzz bench kills up down ci

FUZZTIME ?= 30s
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

test: ## all tests, on the databases that are found
	go test ./...

race: ## all tests under the race detector
	go test -race ./...

fips: ## the cryptography in FIPS 140-3 mode
	GODEBUG=fips140=only go test ./fernet/... ./encryptedtype/... ./keyprovider/... ./blindindex/...

lint: ## gofmt, vet, staticcheck
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...

fuzz: ## every fuzz target, FUZZTIME each (30s)
	@for pkg in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
		done; \
	done

bench: ## the figures of the README, as ratios within one run
	cd benchmarks && go run ./ratios && go run ./gormratios && go run ./searchratios && go run ./reencrypt

kills: ## kill a re-encryption 2,000 times on each database, beside writers
	FERNETCOL_KILLS=2000 go test -run Killed -v -timeout 60m ./reencrypt

up: ## start the databases of docker-compose.yml
	docker compose up -d --wait

down: ## stop them
	docker compose down

ci: ## everything that CI runs
	.ci/run
