# Fuzzing; included by the Makefile.
#
# `make fuzz` runs each tests/fuzz/<name>_fuzz.c with clang's libFuzzer, which
# begins with the inputs in tests/fuzz/corpus/<name> and uses the words of
# tests/fuzz/dictionaries/<name>.dict. An input that crashes is left in
# $(FUZZ)/crashes. Once the fault is understood, add it to the corpus:
# `make fuzz-regressions` runs the whole corpus, without clang.
#
# FUZZ_SECONDS is for each target. `make fuzz-<name> FUZZ_SECONDS=900` runs one of
# them for longer.

FUZZ := $(BUILD)/fuzz
FUZZ_CC ?= clang
FUZZ_SECONDS ?= 25
FUZZ_FLAGS ?= -rss_limit_mb=2048 -timeout=20 -max_len=16384
FUZZ_SANITIZER := -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_TARGETS := $(patsubst tests/fuzz/%_fuzz.c,%,$(sort $(wildcard tests/fuzz/*_fuzz.c)))
FUZZ_ROOMS := $(patsubst %.c,$(FUZZ)/%.o,$(filter-out src/main.c src/status_page/main.c \
	src/status_page/page.c,$(SOURCES)))
FUZZ_SUPPORT := $(patsubst %.c,%,$(sort $(wildcard tests/fuzz/support/*.c)))

$(FUZZ)/%.o: %.c | fuzz-compiler
	@mkdir -p $(@D)
	$(call say,CC,$<)$(FUZZ_CC) $(CPPFLAGS) -std=c11 -O1 -g -fsanitize=fuzzer-no-link $(FUZZ_SANITIZER) -MMD -MP \
		-c -o $@ $<

$(FUZZ)/%_fuzz: $(FUZZ)/tests/fuzz/%_fuzz.o $(FUZZ_SUPPORT:%=$(FUZZ)/%.o) $(FUZZ_ROOMS)
	$(call say,LD,$@)$(FUZZ_CC) -fsanitize=fuzzer $(FUZZ_SANITIZER) -o $@ $^ $(LDLIBS)

# --- the words of a target -------------------------------------------------------

FUZZ_DICTIONARIES := $(patsubst tests/fuzz/dictionaries/%,$(FUZZ)/dictionaries/%,\
	$(wildcard tests/fuzz/dictionaries/*.dict))
fuzz_dictionary = $(filter $(FUZZ)/dictionaries/$(1).dict,$(FUZZ_DICTIONARIES))

$(FUZZ)/dictionaries/%.dict: tests/fuzz/dictionaries/%.dict
	@mkdir -p $(@D)
	cat $^ >$@

# Dictionaries of configuration get the attributes' names from the program's table.
$(FUZZ)/dictionaries/config.dict $(FUZZ)/dictionaries/load.dict: $(FUZZ)/attributes.dict
$(FUZZ)/dictionaries/load.dict: tests/fuzz/dictionaries/config.dict

$(FUZZ)/attributes.dict: $(FUZZ)/attribute_words
	$< >$@

$(FUZZ)/attribute_words: $(FUZZ)/tests/fuzz/attribute_words.o $(FUZZ_ROOMS)
	$(call say,LD,$@)$(FUZZ_CC) $(FUZZ_SANITIZER) -o $@ $^ $(LDLIBS)

# --- running -------------------------------------------------------------------------

fuzz-compiler:
	@command -v $(FUZZ_CC) >/dev/null || { \
		echo 'make fuzz needs clang and libFuzzer: apt-get install clang libclang-rt-dev' >&2; \
		exit 1; }

fuzz: $(FUZZ_TARGETS:%=fuzz-%)

# New inputs go to the first directory.
$(FUZZ_TARGETS:%=fuzz-%): fuzz-%: $(FUZZ)/%_fuzz $(FUZZ_DICTIONARIES)
	@mkdir -p $(FUZZ)/found/$* $(FUZZ)/crashes
	$< -max_total_time=$(FUZZ_SECONDS) $(FUZZ_FLAGS) -print_final_stats=1 \
		$(addprefix -dict=,$(call fuzz_dictionary,$*)) \
		-artifact_prefix=$(FUZZ)/crashes/$*- $(FUZZ)/found/$* \
		$(wildcard tests/fuzz/corpus/$*)

# --- inputs that once crashed ------------------------------------------------------

FUZZ_REPLAYS := $(patsubst tests/fuzz/corpus/%,%,$(sort $(wildcard tests/fuzz/corpus/*)))

$(BUILD)/tests/fuzz/%_replay: $(BUILD)/tests/fuzz/%_fuzz.o $(BUILD)/tests/fuzz/replay.o \
		$(FUZZ_SUPPORT:%=$(BUILD)/%.o) $(ROOMS)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

fuzz-regressions: $(FUZZ_REPLAYS:%=fuzz-regressions-%)

$(FUZZ_REPLAYS:%=fuzz-regressions-%): fuzz-regressions-%: $(BUILD)/tests/fuzz/%_replay
	$< tests/fuzz/corpus/$*

.PHONY: fuzz fuzz-compiler fuzz-regressions $(FUZZ_TARGETS:%=fuzz-%) \
	$(FUZZ_REPLAYS:%=fuzz-regressions-%)
.SECONDARY: $(FUZZ_ROOMS) $(FUZZ_SUPPORT:%=$(FUZZ)/%.o) $(FUZZ)/tests/fuzz/attribute_words.o $(FUZZ_TARGETS:%=$(FUZZ)/%_fuzz) \
	$(FUZZ_TARGETS:%=$(FUZZ)/tests/fuzz/%_fuzz.o) $(FUZZ_REPLAYS:%=$(BUILD)/tests/fuzz/%_replay) \
	$(FUZZ_REPLAYS:%=$(BUILD)/tests/fuzz/%_fuzz.o) $(BUILD)/tests/fuzz/replay.o \
	$(FUZZ_SUPPORT:%=$(BUILD)/%.o)

-include $(FUZZ_ROOMS:.o=.d) $(FUZZ_SUPPORT:%=$(FUZZ)/%.d) $(FUZZ_TARGETS:%=$(FUZZ)/tests/fuzz/%_fuzz.d) \
	$(FUZZ)/tests/fuzz/attribute_words.d
