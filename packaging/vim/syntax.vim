" Syntax of usherd.conf(5) and of xinetd's files.
if exists("b:current_syntax")
  finish
endif

syn case match
syn match usherdComment "^\s*#.*$" contains=@Spell
syn match usherdInclude "^\s*\%(include\|includedir\)\>"
syn match usherdEntry "^\s*\%(service\|defaults\|daemon\)\>" nextgroup=usherdName skipwhite
syn match usherdName "\S\+" contained
syn region usherdBlock matchgroup=usherdBrace start="{" end="^\s*}" fold contains=usherdComment,usherdAttribute,usherdUnknown
syn match usherdUnknown "^\s*\k\+\ze\s*[-+]\?=" contained
syn match usherdOperator "[-+]\?=" contained nextgroup=usherdValue skipwhite
syn match usherdValue ".*$" contained contains=usherdKeyword,usherdNumber,usherdString
syn region usherdString start=+"+ skip=+\\"+ end=+"\|$+ contained
syn match usherdNumber "\<\d\+[KMG]\?\>" contained
syn keyword usherdKeyword yes no UNLIMITED FOREVER NEVER FILE SYSLOG contained
syn keyword usherdKeyword RPC INTERNAL UNLISTED SPECIAL TCPMUX TCPMUXPLUS contained
syn keyword usherdKeyword INTERCEPT NORETRY IDONLY NAMEINARGS NODELAY KEEPALIVE contained
syn keyword usherdKeyword NOLIBWRAP SENSOR DGRAMBAN IPv4 IPv6 LABELED REUSE contained
syn keyword usherdKeyword PID HOST USERID EXIT DURATION TRAFFIC REASON SESSION ATTEMPT contained
syn match usherdAttribute "^\s*\%(@ALTERNATIVES@\)\ze\s*[-+]\?=" contained nextgroup=usherdOperator skipwhite

hi def link usherdComment Comment
hi def link usherdInclude Include
hi def link usherdEntry Statement
hi def link usherdName Identifier
hi def link usherdAttribute Type
hi def link usherdUnknown Error
hi def link usherdOperator Operator
hi def link usherdKeyword Constant
hi def link usherdNumber Number
hi def link usherdString String
hi def link usherdBrace Delimiter

let b:current_syntax = "usherd"
