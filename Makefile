# Everything a person or a machine does with this folder. `make help` lists it.

PREFIX ?= /usr/local
DESTDIR ?=
# WITH_PASS_LINK=1: `make install` also puts passel in pass's place (link, manual page, completions).
WITH_PASS_LINK ?=

CARGO ?= cargo
TARGET_DIR ?= $(or $(CARGO_TARGET_DIR),target)
PASSEL ?= $(TARGET_DIR)/release/passel

BINDIR = $(DESTDIR)$(PREFIX)/bin
MANDIR = $(DESTDIR)$(PREFIX)/share/man/man1
BASHDIR = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSHDIR = $(DESTDIR)$(PREFIX)/share/zsh/site-functions
FISHDIR = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d

SCRIPTS = scripts/install-deps .ci/run demo/run benches/run benches/bulk benches/common.sh \
	tests/upstream/run tests/faults/careful.sh src/process/extension.bash completions/passel.bash completions/pass.bash

.PHONY: help build demo test test-long fuzz bench generated lint audit install uninstall clean

help: ## list what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  make install knows PREFIX ($(PREFIX)), DESTDIR, and WITH_PASS_LINK=1 (take pass's place)"

build: ## install what the build lacks, then build the program
	scripts/install-deps build
	$(CARGO) build --release --locked

demo: build ## two colleagues and a client share a store, in a throwaway folder
	PASSEL="$(PASSEL)" demo/run

# Documentation tests are not nextest's business, hence the extra call. Two tests more at once than there are
# processors: many wait, for git's and gpg's processes or for patience to run out.
test: ## install what the tests lack, then run them all
	scripts/install-deps build test
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		set -x; $(CARGO) test --locked --doc && $(CARGO) nextest run --locked --no-fail-fast -j $$(($$(getconf _NPROCESSORS_ONLN) + 2)); \
	else \
		set -x; $(CARGO) test --locked --no-fail-fast; \
	fi

# Ignored for other reasons than their length: run by other tests, or by hand.
NOT_LONG = keeper hardened_child copies_on_wayland

test-long: ## the long sweeps: faults, random kills, simulations
	scripts/install-deps build test
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		set -x; $(CARGO) nextest run --locked --no-fail-fast --run-ignored ignored-only -j $$(($$(getconf _NPROCESSORS_ONLN) + 1)) \
			-E 'not test(/::($(subst $() ,|,$(NOT_LONG)))$$/)'; \
	else \
		set -x; $(CARGO) test --locked --no-fail-fast -- --ignored \
			$(addprefix --skip ,$(NOT_LONG)); \
	fi

# How long each target runs, in seconds.
FUZZ_TIME ?= 60

# The first folder takes what is new; the seeds stay as they are. Stable Rust has what this needs, but says so only
# when asked. fuzz/README.md says more.
fuzz: ## try the readers of messages on made-up bytes (needs cargo-fuzz); FUZZ_TIME=60 seconds each
	scripts/install-deps build
	mkdir -p fuzz/found/packets fuzz/found/cache
	@for target in packets cache; do \
		(set -x; RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run $$target fuzz/found/$$target fuzz/corpus/$$target -- \
			-max_total_time=$(FUZZ_TIME) -timeout=10 -rss_limit_mb=2048) || exit; \
	done

bench: build ## time passel beside pass and others: single commands, then work on many entries
	scripts/install-deps bench
	PASSEL="$(PASSEL)" benches/run
	PASSEL="$(PASSEL)" benches/bulk

generated: ## write manual pages and completions anew (after a change of commands or options)
	scripts/install-deps build
	PASSEL_WRITE_GENERATED=1 $(CARGO) test --locked --test generated

lint: ## formatting, clippy, documentation, scripts
	scripts/install-deps build test
	$(CARGO) fmt --check
	$(CARGO) fmt --check --manifest-path fuzz/Cargo.toml
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps
	shellcheck $(SCRIPTS)

audit: ## known weaknesses in dependencies (needs the network and cargo-deny)
	$(CARGO) deny --locked check advisories

# Builds nothing when there is a program already: `sudo make install` needs no compiler and no network.
install: ## install program, manual pages and completions
	@test -x "$(PASSEL)" || { echo "make install: no $(PASSEL) yet; run 'make build' first" >&2; exit 1; }
	install -d "$(BINDIR)" "$(MANDIR)" "$(BASHDIR)" "$(ZSHDIR)" "$(FISHDIR)"
	install -m 755 "$(PASSEL)" "$(BINDIR)/passel"
	install -m 644 man/*.1 "$(MANDIR)/"
	install -m 644 completions/passel.bash "$(BASHDIR)/passel"
	install -m 644 completions/_passel "$(ZSHDIR)/_passel"
	install -m 644 completions/passel.fish "$(FISHDIR)/passel.fish"
ifeq ($(WITH_PASS_LINK),1)
	@test ! -e "$(BINDIR)/pass" || test "$$(readlink "$(BINDIR)/pass")" = passel || { \
		echo "make install: $(BINDIR)/pass is another program; remove it, or choose another PREFIX" >&2; exit 1; }
	ln -sf passel "$(BINDIR)/pass"
	ln -sf passel.1 "$(MANDIR)/pass.1"
	install -m 644 completions/pass.bash "$(BASHDIR)/pass"
	install -m 644 completions/_pass "$(ZSHDIR)/_pass"
	install -m 644 completions/pass.fish "$(FISHDIR)/pass.fish"
endif

# What bears pass's name is removed only where it is ours: stock pass may live in the same prefix.
uninstall: ## remove what install put there
	@if [ "$$(readlink "$(BINDIR)/pass")" = passel ]; then \
		set -x; rm -f "$(BINDIR)/pass" "$(MANDIR)/pass.1" "$(BASHDIR)/pass" "$(ZSHDIR)/_pass" \
			"$(FISHDIR)/pass.fish"; \
	fi
	rm -f "$(BINDIR)/passel" "$(BASHDIR)/passel" "$(ZSHDIR)/_passel" "$(FISHDIR)/passel.fish"
	cd "$(MANDIR)" 2>/dev/null && rm -f $(notdir $(wildcard man/*.1)) || true

clean: ## remove what was built
	$(CARGO) clean
