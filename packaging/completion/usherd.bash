# shellcheck shell=bash
# Completion of usherd's command line for bash. The options are those of usherd -help.

_usherd_options() {
	"$1" -help 2>/dev/null | sed -n 's/^  \(-[a-z0-9_]*\)\(\[=\([a-z]*\)\]\)\{0,1\}.*/\1 \1=\3/p' |
		awk '{ print $1; if ($2 !~ /=$/) print $2 }'
}

# The file after -f, with -f.
_usherd_config() {
	local i

	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} != -f && ${COMP_WORDS[i]} != --f ]] || echo "-f ${COMP_WORDS[i + 1]}"
	done
}

_usherd_services() {
	local config

	read -ra config <<<"$(_usherd_config)"
	"$1" -print "${config[@]}" 2>/dev/null | awk '$1 == "service" { print $2 }' | sort -u
}

# Behind -import every word is a file.
_usherd_imports() {
	local i

	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} != -import && ${COMP_WORDS[i]} != --import ]] || return 0
	done
	return 1
}

# Behind -serve: where the words are attributes, and where the program begins.
_usherd_served() {
	local i

	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} != -- ]] || { echo program; return; }
	done
	for ((i = 1; i < COMP_CWORD - 1; i++)); do
		[[ ${COMP_WORDS[i]} != -serve && ${COMP_WORDS[i]} != --serve ]] || { echo attributes; return; }
	done
}

_usherd() {
	local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local attributes='@ATTRIBUTES@' words=''

	COMPREPLY=()
	case $(_usherd_served) in
	program)
		mapfile -t COMPREPLY < <(compgen -c -f -- "$current")
		return
		;;
	attributes)
		compopt -o nospace 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -W "${attributes// /= }= --" -- "$current")
		return
		;;
	esac
	if _usherd_imports; then
		before=-import
	fi
	case $before in
	-f | -filelog | -pidfile | -import | --f | --filelog | --pidfile | --import)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
		;;
	-log_format | --log_format) words='xinetd json journal' ;;
	-syslog | --syslog)
		words='auth authpriv cron daemon ftp lpr mail news syslog user uucp local0 local1
			local2 local3 local4 local5 local6 local7'
		;;
	-explain | --explain | -pause | --pause | -resume | --resume) words=$(_usherd_services "$1") ;;
	-serve | -limit | -logprocs | -cc | -shutdownprocs | -syslog_tag | -end | -unban) return ;;
	*) words=$(_usherd_options "$1") ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -F _usherd usherd
