# complete.zsh FOLDER LINE: print what an interactive zsh offers at the end of a command line, a
# word on each line, with the completion in a folder.
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1= PS2= RPS1=; fpath=(${(q)1} \$fpath); autoload -Uz compinit; compinit -u -D"
zpty -w shell 'zstyle ":completion:*" list-max 0; unsetopt zle_bracketed_paste'
# Instead of a listing: the words that compadd would add.
zpty -w shell 'compadd() {
    local -a plain words=()
    if [[ ${@[1,(i)(-|--)]} == *-[OAD]* ]]; then builtin compadd "$@"; return; fi
    builtin compadd -A words "$@"
    local -a suffix; zparseopts -E -a plain S:=suffix
    for word in $words; do print -r -- "offered $word"; done
    builtin compadd "$@"
}
finish() { zle complete-word; print -r -- "that is all"; exit }
zle -N finish; bindkey "^X" finish'
zpty -w shell 'print ready-$((1 + 1))'
zpty -r shell seen '*ready-2*'
zpty -w -n shell "$2"$'\C-X'
seen=
while zpty -r shell line; do
    seen+=$line
    [[ $line != *'that is all'* ]] || break
done
print -r -- "$seen" | tr -d '\r' | sed -n 's/.*offered //p' | sort -u
