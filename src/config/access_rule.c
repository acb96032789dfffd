#include "config/access_rule.h"

#include <string.h>
#include <strings.h>

size_t access_name_length(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && name[length - 1] == '.' ? length - 1 : length;
}

bool access_names_equal(const char *one, const char *other)
{
	size_t length = access_name_length(one);

	return length == access_name_length(other) && strncasecmp(one, other, length) == 0;
}

static bool domain_holds(const char *domain, const char *name)
{
	size_t domain_length = access_name_length(domain), length = access_name_length(name);

	return length > domain_length &&
	       strncasecmp(name + length - domain_length, domain, domain_length) == 0;
}

int access_rule_specificity(const struct access_rule *rule)
{
	enum { ANY_PREFIX = 1 + ACCESS_NAME_MAX + 1, ANY_HOST = ANY_PREFIX + 128 + 1 };

	if (!rule)
		return -1;
	if (rule->kind == RULE_HOST)
		return ANY_HOST;
	if (rule->kind == RULE_DOMAIN)
		return (int)access_name_length(rule->text);
	return rule->prefix.length > 0 ? ANY_PREFIX + rule->prefix.length : 0;
}

static bool names_match(const struct access_rule *rule, const char *const *names)
{
	for (; names && *names; names++)
		if (rule->kind == RULE_HOST ? access_names_equal(rule->text, *names)
					    : domain_holds(rule->text, *names))
			return true;
	return false;
}

bool access_rule_matches(const struct access_rule *rule, const struct address *address,
			 const char *const *names)
{
	if (rule->kind == RULE_PREFIX)
		return prefix_holds(&rule->prefix, address);
	return names_match(rule, names);
}

bool access_rule_covers(const struct access_rule *outer, const struct access_rule *inner)
{
	if (outer->kind == RULE_PREFIX || inner->kind == RULE_PREFIX)
		return outer->kind == inner->kind && prefix_covers(&outer->prefix, &inner->prefix);
	if (outer->kind == inner->kind && access_names_equal(outer->text, inner->text))
		return true;
	return outer->kind == RULE_DOMAIN && domain_holds(outer->text, inner->text);
}
