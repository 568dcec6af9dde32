# SPDX-License-Identifier: GPL-2.0-or-later
# How the tests are built and run. `make check` is all three; each can be run alone.

check: check-unit check-fuzz check-system

# Unit tests: one Criterion program of all objects but the mains.
unit_objs := $(patsubst %.c,%.o,$(sort $(wildcard tests/unit/*/test_*.c tests/unit/*.c)))
unit_objs += $(filter-out %/main.o %_main.o cni/kube_get.o,$(common) $(redirect) $(resolver) $(cni))
unit_libs := -lcriterion $(sort $(foreach p,$(programs),$($(p)_libs)))

$(BUILD)/tests/unit/run: $(addprefix $(BUILD)/,$(unit_objs))
	$(call say,LD,$@)
	$(q)$(CC) $(CFLAGS) $(LDFLAGS) $(ldflags) -o $@ $^ $(unit_libs) $(LDLIBS)

# Criterion's macros make functions without prototypes, and old libffi noise; nothing of ours.
$(BUILD)/tests/unit/%.o: cflags += -Wno-missing-prototypes -Wno-pedantic -Wno-strict-prototypes

check-unit: $(BUILD)/tests/unit/run
	$<

# Fuzz targets: replay drivers over the corpus for everybody, libFuzzer itself with clang.
fuzz_targets := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
fuzz_objs    := $(filter-out %/main.o %_main.o cni/kube_get.o,$(common) $(redirect) $(resolver) $(cni))
fuzz_libs    := $(sort $(foreach p,$(programs),$($(p)_libs)))

$(BUILD)/tests/fuzz/replay_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o \
		$(addprefix $(BUILD)/,$(fuzz_objs))
	$(call say,LD,$@)
	$(q)$(CC) $(CFLAGS) $(LDFLAGS) $(ldflags) -o $@ $^ $(fuzz_libs) $(LDLIBS)

check-fuzz: $(fuzz_targets:%=$(BUILD)/tests/fuzz/replay_%)
	@for t in $(fuzz_targets); do \
		$(BUILD)/tests/fuzz/replay_$$t tests/fuzz/corpus/$$t || exit 1; done

# make fuzz TARGET=query SECONDS=60: explores on, starting from the corpus.
TARGET  ?= query
SECONDS ?= 60
fuzz:
	@mkdir -p $(BUILD)/fuzz/$(TARGET)
	clang -g -O1 -std=gnu17 -I. -I$(BUILD) -D_GNU_SOURCE -pthread \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-o $(BUILD)/fuzz/$(TARGET)/run tests/fuzz/fuzz_$(TARGET).c \
		$(patsubst %.o,%.c,$(fuzz_objs)) $(fuzz_libs)
	$(BUILD)/fuzz/$(TARGET)/run -max_total_time=$(SECONDS) -max_len=4096 \
		-artifact_prefix=$(BUILD)/fuzz/$(TARGET)/ \
		$(BUILD)/fuzz/$(TARGET) tests/fuzz/corpus/$(TARGET)

# System tests: the real programs in namespaces of their own.
clients := $(BUILD)/tests/system/cares-lookup $(BUILD)/tests/system/musl-lookup \
	   $(if $(SAN),,$(BUILD)/tests/system/libcni)

$(BUILD)/tests/system/cares-lookup: tests/system/cares-lookup.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(q)$(CC) -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -O1 -g -o $@ $< -lcares

# Static, so that it is musl's resolver wherever it runs.
$(BUILD)/tests/system/musl-lookup: tests/system/getaddrinfo.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(q)musl-gcc -std=c17 -D_GNU_SOURCE -Wall -Wextra -O1 -static -o $@ $<

# Of Debian's sources, and of nothing from the network.
$(BUILD)/tests/system/libcni: tests/system/libcni.go
	@mkdir -p $(@D)
	$(call say,GO,$<)
	$(q)GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$(abspath $(BUILD)/go) go build -o $@ $<

check-system: all $(clients)
	BUILD=$(BUILD) tests/system/run $(ONLY)

$(BUILD)/tests/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(q)$(CC) $(filter-out -fsanitize% -fPIE,$(cflags)) $(CFLAGS) -static -o $@ $<

.PHONY: check check-unit check-fuzz check-system fuzz
