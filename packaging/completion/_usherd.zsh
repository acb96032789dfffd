#compdef usherd
# Completion of usherd's command line for zsh. The options are those of usherd -help.

local -a options config
local word serve=${words[(i)-serve]} dashes=${words[(i)--]} file=${words[(i)-f]}
local import=${words[(i)-import]}

if (( dashes < CURRENT )); then
	_alternative 'commands:program:_command_names -e' 'files:file:_files'
	return
elif (( serve + 1 < CURRENT )); then
	compadd -S = -- @ATTRIBUTES@
	compadd -- --
	return
elif (( import < CURRENT )); then
	_files
	return
fi

case ${words[CURRENT - 1]} in
(-f|-filelog|-pidfile)
	_files
	;;
(-syslog)
	compadd auth authpriv cron daemon ftp lpr mail news syslog user uucp local{0..7}
	;;
(-log_format)
	compadd -- xinetd json journal
	;;
(-explain|-pause|-resume)
	(( file < CURRENT )) && config=(-f ${words[file + 1]})
	compadd -- ${(f)"$(${words[1]} -print $config 2>/dev/null | awk '$1 == "service" { print $2 }')"}
	;;
(-serve|-limit|-logprocs|-cc|-shutdownprocs|-syslog_tag|-end|-unban)
	_message value
	;;
(*)
	# "  -name[=json] VALUE   what it does"; a long left side has a line of its own.
	for word in ${(f)"$(${words[1]} -help 2>/dev/null)"}; do
		[[ $word =~ '^  (-[a-z0-9_]+)[^ ]*( [^ ]+)*( {2,}(.*))?$' ]] && options+=("$match[1]:$match[4]")
	done
	_describe option options
	;;
esac
