#include "config/word.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { MISSPELT_MAX = 32 };

static size_t least_of(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

static bool same_letter(char one, char other)
{
	return tolower((unsigned char)one) == tolower((unsigned char)other);
}

enum { ROW_SIZE = MISSPELT_MAX + 1 };

/* Fills the row of the distances between the first i letters of `one` and each prefix of
 * other, from the rows for i - 1 (last) and i - 2 (before). */
static void fill_row(size_t row[ROW_SIZE], const size_t last[ROW_SIZE],
		     const size_t before[ROW_SIZE], const char *one, size_t i, const char *other)
{
	row[0] = i;
	for (size_t j = 1; other[j - 1]; j++) {
		bool differs = !same_letter(one[i - 1], other[j - 1]);

		row[j] = least_of(row[j - 1] + 1, last[j] + 1, last[j - 1] + differs);
		if (i > 1 && j > 1 && same_letter(one[i - 1], other[j - 2]) &&
		    same_letter(one[i - 2], other[j - 1]) && before[j - 2] + 1 < row[j])
			row[j] = before[j - 2] + 1;
	}
}

/* How many letters must be inserted, removed, replaced, or swapped with their neighbour,
 * ignoring case; both words have at most MISSPELT_MAX. */
static size_t edit_distance(const char *one, const char *other)
{
	size_t rows[3][ROW_SIZE] = { { 0 } }, length = strlen(one);

	for (size_t j = 0; j < ROW_SIZE; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= length; i++)
		fill_row(rows[i % 3], rows[(i + 2) % 3], rows[(i + 1) % 3], one, i, other);
	return rows[length % 3][strlen(other)];
}

const char *nearest_word(const char *word, const char *const *candidates)
{
	const char *nearest = NULL;
	size_t length = strlen(word), best = length / 3 + 1;

	if (length > MISSPELT_MAX)
		return NULL;
	for (; *candidates; candidates++) {
		size_t distance = strlen(*candidates) > MISSPELT_MAX
					  ? best
					  : edit_distance(word, *candidates);

		if (distance < best) {
			best = distance;
			nearest = *candidates;
		}
	}
	return nearest;
}
