/* The page: one file, made at build time of page.html, page.css and page.js. */
#ifndef USHERD_STATUS_PAGE_PAGE_H
#define USHERD_STATUS_PAGE_PAGE_H

extern const char page_html[];
extern const unsigned page_html_length;

/* What a browser may do with it, for Content-Security-Policy: run this script and use this style,
 * known by their hashes, and nothing else. Ends with a NUL. */
extern const char page_policy[];

#endif
