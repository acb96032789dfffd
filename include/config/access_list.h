/* only_from and no_access: who is admitted, by address or by name.
 *
 * Pure: it looks up no host names. When a decision needs the peer's names it says so;
 * the caller looks them up and calls again. */
#ifndef USHERD_CONFIG_ACCESS_LIST_H
#define USHERD_CONFIG_ACCESS_LIST_H

#include "config/access_word.h"
#include "config/rule_index.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The rules of a file of rules (@FILE). It does not change, and all lists that name the
 * file share it. */
struct rule_set {
	struct access_rule *rules;
	size_t count;
	struct rule_index index;
	uint64_t version; /* of the file; another one after every change */
	unsigned references;
};

struct named_set {
	struct rule_set *set; /* a reference */
	const char *file;     /* where the list names it; as in struct access_rule */
	int line;
};

/* At most so many files in one list: each has a search of its own. */
enum { ACCESS_SETS_MAX = 64 };

struct access_list {
	struct access_rule *rules; /* the list's own */
	struct named_set *sets;    /* those of files */
	uint32_t count, set_count;
	bool is_set; /* an only_from set to nothing admits nobody; an unset one everybody */

	/* What access_lists_settle finds out. */
	bool is_settled;
	int best_name; /* the specificity of the most specific name that can decide; 0: there
			* is none */
	struct rule_index *index; /* of rules; NULL: none, in most lists because they are empty */
};

/* Adds what word stands for (access_word.h), possibly several rules, and sets list->is_set. Returns
 * WORD_ADDED, or why nothing was added. */
enum access_word access_list_add(struct access_list *list, const char *word, const char *file,
				 int line, network_lookup *network_named);

/* Removes the rules that were added with the same text and, as xinetd does, every rule
 * with the same meaning as one of word's; false when there was none. The list stays set,
 * even when it is empty. */
bool access_list_remove(struct access_list *list, const char *word);

/* Adds the rules of a file, with a reference. False when memory runs out or there are
 * ACCESS_SETS_MAX already. */
bool access_list_add_set(struct access_list *list, struct rule_set *set, const char *file,
			 int line);

/* Makes the rules of files the list's own, for who can't look at sets. False when memory
 * runs out. */
bool access_list_flatten(struct access_list *list);

/* Frees what list holds and leaves it empty and unset. */
void access_list_clear(struct access_list *list);

/* A set of list's own rules, which it loses, with one reference. NULL when memory runs
 * out: then the list keeps them. */
struct rule_set *rule_set_from(struct access_list *list, uint64_t version);

void rule_set_release(struct rule_set *set);

/* The most specific rule (access_rule.h), the first of equals, those of files last, that
 * covers address or, when names are given, one of them; NULL when none does. names is NULL
 * or a NULL-ended list of the peer's forward-confirmed names. */
const struct access_rule *access_list_match(const struct access_list *list,
					    const struct address *address,
					    const char *const *names);

/* To be called once both lists are complete: from then on a match takes about the same
 * time for many rules as for few. Also finds the names of only_from that no_access has
 * too, which can admit nobody. Without it, or if memory runs out, each rule is
 * compared, and access_decide asks for names more often than necessary. */
void access_lists_settle(struct access_list *only_from, struct access_list *no_access);

/* True when list has a rule that only a name can satisfy. */
bool access_list_wants_names(const struct access_list *list);

/* True when list has a rule with a domain; when it has a prefix of no bits, which is everybody
 * of a family. */
bool access_list_has_domain(const struct access_list *list);
bool access_list_has_everybody(const struct access_list *list);

/* True when a rule of list, which is settled, has a name, or shares an address with
 * prefix. */
bool access_list_touches(const struct access_list *list, const struct prefix *prefix);

/* How many rules there are, those of files included. */
size_t access_list_size(const struct access_list *list);

/* False when both have the same files, and a file has changed between them. */
bool access_lists_same_versions(const struct access_list *one, const struct access_list *other);

enum access_decision {
	ACCESS_ALLOWED,
	ACCESS_DENIED,
	ACCESS_NEEDS_NAMES, /* call again with names */
};

struct access_result {
	enum access_decision decision;
	const struct access_rule *rule; /* what decided; NULL: no rule did */
	bool tie;                       /* both lists matched equally: denied */
};

/* Best match over both lists: the more specific match wins, a
 * tie denies; with only_from set, no match denies. An unknown address matches
 * no rule, so a set only_from denies it and anything else allows it.
 * With names NULL the answer is ACCESS_NEEDS_NAMES whenever a name could change
 * it, and for settled lists only then; pass an empty list when the peer has no
 * name. */
struct access_result access_decide(const struct access_list *only_from,
				   const struct access_list *no_access,
				   const struct address *address, const char *const *names);

/* A pair of a rule of only_from and a rule of no_access of which one covers the other; the
 * checker warns of it. False when there is none, or memory runs out. */
bool access_lists_overlap(const struct access_list *only_from, const struct access_list *no_access,
			  const struct access_rule **allowed, const struct access_rule **denied);

#endif
