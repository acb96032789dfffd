" The file that usherd reads, and those that it includes.
autocmd BufRead,BufNewFile usherd.conf,*/usherd.d/* setfiletype usherd
