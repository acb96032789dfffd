# What is installed, and packages; included by the Makefile.

DATADIR ?= $(PREFIX)/share
DOCDIR ?= $(DATADIR)/doc/usherd
UNITDIR ?= $(PREFIX)/lib/systemd/system
CATALOGDIR ?= $(PREFIX)/lib/systemd/catalog
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
BASHDIR ?= $(DATADIR)/bash-completion/completions
ZSHDIR ?= $(DATADIR)/zsh/site-functions
VIMDIR ?= $(DATADIR)/vim/vimfiles

install_directories := DESTDIR SBINDIR LIBEXECDIR MANDIR SYSCONFDIR DOCDIR UNITDIR CATALOGDIR \
	SYSUSERSDIR BASHDIR ZSHDIR VIMDIR
install_files = $(foreach name,$(install_directories) PKG_CONFIG DAEMON STATUS_PAGE,$(name)='$($(name))') \
	packaging/install-files

install: all
	@$(install_files) install

# Without a look for missing packages.
install-files: $(DAEMON) $(STATUS_PAGE)
	@$(install_files) install

uninstall:
	@$(install_files) uninstall

# A Debian package in build/deb, for this release of Debian.
deb: packages-dependencies
	packaging/make-deb

# Also the other files that are installed, each with the program that it is for.
packages-test: packages-test-dependencies $(DAEMON) $(STATUS_PAGE)
	USHERD=$(abspath $(DAEMON)) tests/packages/run

packages-dependencies:
	@sh packaging/install-dependencies build packages

packages-test-dependencies:
	@sh packaging/install-dependencies build packages packages_test

.PHONY: install install-files uninstall deb packages-test \
	packages-dependencies packages-test-dependencies
