#include "status_page/page.h"

/* The Makefile has put the files together, and says where they are. */
__asm__(".pushsection .rodata, \"a\"\n"
	".global page_html, page_html_length, page_policy\n"
	"page_html: .incbin \"page.html\"\n"
	"page_html_end: .balign 4\n"
	"page_html_length: .4byte page_html_end - page_html\n"
	"page_policy: .incbin \"page.policy\"\n"
	".byte 0\n"
	".popsection\n");
