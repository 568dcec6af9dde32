# SPDX-License-Identifier: GPL-2.0-or-later
#
# meshdns. `make help` prints the targets. For packagers:
#   make CC=clang            another compiler          make V=1         whole command lines
#   make SAN=1               ASan + UBSan (build/san)  make WERROR=     warnings do not stop the build
#   make install DESTDIR=/tmp/pkg PREFIX=/usr          LDLIBS, CFLAGS, LDFLAGS are yours

CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
PREFIX  ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
CNIDIR  ?= $(PREFIX)/lib/cni
MANDIR  ?= $(PREFIX)/share/man
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSCONFDIR ?= /etc
CONFDIR  = $(SYSCONFDIR)/meshdns
DESTDIR ?=
WERROR  ?= 1
SAN     ?=
V       ?=
BUILD   ?= build$(if $(SAN),/san)

CFLAGS  ?= -O2 -g
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo 0.1.0)

cflags  := -std=gnu17 -I. -I$(BUILD) -D_GNU_SOURCE -pthread -fPIE -MMD -MP \
	   -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	   -Wvla -Wformat=2 -Wundef -Wwrite-strings -fstack-protector-strong \
	   $(if $(WERROR),-Werror)
ldflags := -pie -pthread -Wl,-z,relro,-z,now
ifneq ($(SAN),)
cflags  += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
ldflags += -fsanitize=address,undefined
else
cflags  += -D_FORTIFY_SOURCE=2
endif

compile := $(CC) $(cflags) $(CPPFLAGS) $(CFLAGS) # by value: what a target adds is not in it

# --- what each program is made of ---------------------------------------------------------------

common     := common/err.o common/log.o common/addr.o common/file.o common/nearest.o \
	      common/netns.o common/options.o common/resolvconf.o common/uid.o common/user.o
redirect   := $(filter-out iptables/mnl.o,$(patsubst %.c,%.o,$(sort $(wildcard iptables/*.c redirector/*.c)))) \
	      common/cgroup.o
resolver   := $(patsubst %.c,%.o,$(sort $(wildcard resolver/*.c resolver/corefile/*.c))) common/privs.o common/confine.o \
	      common/landlock.o common/ready.o

meshdns-redirect_objs := $(common) $(redirect)
meshdns-redirect_libs := -lnftnl -lmnl -ljansson -lyaml
meshdns-resolver_objs := $(common) $(resolver)
meshdns-resolver_libs := -lseccomp -lcap-ng -ljansson

# The plugin runs on hosts that have none of these libraries: it is static, without libc's lookup of
# users, and libmnl, of which Debian has no archive, is our own. With sanitizers it cannot be static.
cni_rules  := $(filter iptables/%,$(redirect)) common/cgroup.o \
	      $(patsubst %,redirector/%.o,apply compare host_nameservers owner policy policy_dns \
	      policy_proxy settings settings_backend settings_parse settings_yaml)
cni        := $(patsubst %.c,%.o,$(sort $(wildcard cni/*.c))) common/privs_keep.o
static     := $(if $(SAN),,-static-pie -Wl,-z,relro,-z,now)

meshdns-cni_objs := $(common:common/user.o=common/user_nameless.o) $(cni_rules) \
	      $(filter-out cni/install% cni/kube_%,$(cni)) $(if $(SAN),,iptables/mnl.o)
meshdns-cni_libs := -lnftnl $(if $(SAN),-lmnl) -ljansson -lyaml
meshdns-cni_link := $(static)

meshdns-cni-install_objs := $(filter-out cni/main.o,$(meshdns-cni_objs)) $(filter cni/install%,$(cni))
meshdns-cni-install_libs := $(meshdns-cni_libs)
meshdns-cni-install_link := $(static)

# Asks the Kubernetes API for the plugin. The linker warns of what libcurl, c-ares and OpenSSL could
# have libc look up or load at run time, and do not: names are c-ares' affair, and no engine is loaded.
CURL       ?= /usr/local/lib/meshdns-build/curl
meshdns-cni-kube_objs := $(common:common/user.o=common/user_nameless.o) common/privs_keep.o cni/base64.o \
	      $(filter cni/kube_%,$(cni))
meshdns-cni-kube_libs := $(CURL)/libcurl.a -lcares -lssl -lcrypto -ljansson -lyaml
meshdns-cni-kube_link := $(if $(SAN),,$(static) -Wl,--no-warnings)

$(BUILD)/cni/kube_get.o: cflags += -isystem $(CURL)
$(BUILD)/cni/kube_get.o: | $(CURL)/libcurl.a
$(CURL)/libcurl.a:
	@echo 'meshdns-cni-kube takes a static libcurl of HTTPS alone: sudo scripts/deps, or CURL=dir' >&2; exit 1

programs   := meshdns-redirect meshdns-resolver meshdns-cni-install
plugins    := meshdns-cni meshdns-cni-kube
units      := redirector/meshdns-redirect.service resolver/meshdns-resolver.service \
	      resolver/meshdns-resolver.socket
manpages   := redirector/meshdns-redirect.8 resolver/meshdns-resolver.8 cni/meshdns-cni.8 cni/meshdns-cni-install.8
manpages5  := resolver/corefile/meshdns-corefile.5

.DEFAULT_GOAL := all
all: $(programs:%=$(BUILD)/%) $(plugins:%=$(BUILD)/%)

# --- rules --------------------------------------------------------------------------------------

q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)')

.SECONDEXPANSION:
$(addprefix $(BUILD)/,$(programs) $(plugins)): $(BUILD)/%: $$(addprefix $(BUILD)/,$$($$*_objs))
	$(call say,LD,$@)
	$(q)$(CC) $(CFLAGS) $(LDFLAGS) $(or $($*_link),$(ldflags)) -o $@ $^ $($*_libs) $(LDLIBS)

$(BUILD)/%.o: %.c $(BUILD)/flags | $(BUILD)/version.h
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(q)$(CC) $(cflags) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# Called only where the processor has AVX2, and never on another architecture.
$(BUILD)/resolver/load_hash_avx2.o: cflags += $(if $(findstring x86_64,$(shell $(CC) -dumpmachine)),-mavx2)

# Rewritten only when their text changes, so that nothing is rebuilt for nothing.
$(BUILD)/version.h: FORCE
	@mkdir -p $(@D)
	@echo '#define MESHDNS_VERSION "$(VERSION)"' > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(compile)' > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
FORCE:

-include $(wildcard $(foreach d,common iptables redirector resolver resolver/corefile cni tests/fuzz tests/unit/*,$(BUILD)/$d/*.d))


include tests/tests.mk

# --- people's targets ---------------------------------------------------------------------------

install: all
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(CNIDIR) $(DESTDIR)$(MANDIR)/man8 $(DESTDIR)$(SYSUSERSDIR) \
		$(DESTDIR)$(UNITDIR) $(DESTDIR)$(CONFDIR)
	install -m 0755 $(programs:%=$(BUILD)/%) $(DESTDIR)$(SBINDIR)
	install -m 0755 $(plugins:%=$(BUILD)/%) $(DESTDIR)$(CNIDIR)
	install -m 0644 $(manpages) $(DESTDIR)$(MANDIR)/man8
	install -d $(DESTDIR)$(MANDIR)/man5
	install -m 0644 $(manpages5) $(DESTDIR)$(MANDIR)/man5
	[ -e $(DESTDIR)$(CONFDIR)/redirect.yaml ] || \
		install -m 0644 redirector/redirect.yaml $(DESTDIR)$(CONFDIR)
	install -m 0644 scripts/meshdns.sysusers $(DESTDIR)$(SYSUSERSDIR)/meshdns.conf
	for unit in $(notdir $(units)); do \
		sed 's|@SBINDIR@|$(SBINDIR)|; s|@SYSCONFDIR@|$(SYSCONFDIR)|' */$$unit > $(DESTDIR)$(UNITDIR)/$$unit && \
		chmod 0644 $(DESTDIR)$(UNITDIR)/$$unit || exit 1; done

uninstall:
	rm -f $(programs:%=$(DESTDIR)$(SBINDIR)/%) $(plugins:%=$(DESTDIR)$(CNIDIR)/%) \
	      $(addprefix $(DESTDIR)$(MANDIR)/man8/,$(notdir $(manpages))) \
	      $(addprefix $(DESTDIR)$(MANDIR)/man5/,$(notdir $(manpages5))) \
	      $(addprefix $(DESTDIR)$(UNITDIR)/,$(notdir $(units))) \
	      $(DESTDIR)$(SYSUSERSDIR)/meshdns.conf
	! cmp -s redirector/redirect.yaml $(DESTDIR)$(CONFDIR)/redirect.yaml || \
		rm $(DESTDIR)$(CONFDIR)/redirect.yaml

deps:
	scripts/deps

demo: all
	BUILD=$(BUILD) scripts/demo

bench: all $(BUILD)/tests/bench/echo $(BUILD)/tests/bench/launch $(BUILD)/tests/bench/paced
	BUILD=$(BUILD) tests/bench/run
	BUILD=$(BUILD) tests/bench/names
	BUILD=$(BUILD) tests/bench/redirect
	BUILD=$(BUILD) tests/bench/cni

bench-names: all $(BUILD)/tests/bench/paced
	BUILD=$(BUILD) tests/bench/names

bench-redirect: all
	BUILD=$(BUILD) tests/bench/redirect

bench-cni: all $(BUILD)/tests/bench/launch
	BUILD=$(BUILD) tests/bench/cni

bench-corefile: all $(BUILD)/tests/bench/echo
	BUILD=$(BUILD) tests/bench/corefile

# make soak SECONDS=120 FLAGS="--workers 2"
soak: all
	BUILD=$(BUILD) tests/bench/soak $(SECONDS) $(FLAGS)

sources = $(shell git ls-files -co --exclude-standard '*.c' '*.h')

format:
	clang-format -i $(sources)

lint: $(BUILD)/version.h
	clang-format --dry-run -Werror $(sources)
	scripts/check-includes
	shellcheck -x $(shell git ls-files -co --exclude-standard | xargs grep -lE '^#!/bin/(ba)?sh|^#!/usr/bin/env bash' 2>/dev/null)
	mandoc -T lint -W warning $(manpages) $(manpages5)
	printf '%s\n' $(filter-out tests/unit/%,$(filter %.c,$(sources))) | xargs -P 2 -n 4 sh -c \
		'clang-tidy --quiet "$$@" -- -std=gnu17 -I. -I$(BUILD) -isystem $(CURL) -D_GNU_SOURCE' sh

clean:
	rm -rf build

help:
	@echo 'make                build meshdns-redirect, meshdns-resolver and meshdns-cni into build/'
	@echo 'make deps           install what building and testing need (Debian, root); for building alone: scripts/deps build'
	@echo 'make demo           show the whole thing in a namespace of its own (root)'
	@echo 'make check          unit tests, fuzz corpus, system tests in namespaces (root)'
	@echo 'make bench          the resolver beside an echo and other servers; and bench-names, bench-redirect, bench-cni (root)'
	@echo 'make bench-corefile what a Corefile costs, against flags and the echo (root)'
	@echo 'make soak           everything at once for SECONDS=60: no query lost, nothing grows (root)'
	@echo 'make lint           clang-format, clang-tidy, include directions, shellcheck, man pages'
	@echo 'make install        DESTDIR= PREFIX=/usr/local'
	@echo 'Variables: CC=clang SAN=1 V=1 WERROR= BUILD=dir'

.PHONY: all install uninstall deps demo bench bench-corefile bench-names bench-redirect bench-cni soak format lint clean help FORCE
.DELETE_ON_ERROR:
.SECONDARY:
