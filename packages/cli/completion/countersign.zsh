#compdef countersign
# Completion of `countersign` for zsh. What was typed is unquoted and passed on, and never evaluated.
_countersign() {
  local -a lines described
  local line
  lines=("${(@f)$(countersign complete -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
  if [[ $lines[1] == :files ]]; then
    [[ $PREFIX == --*=* ]] && compset -P '*='
    _files
    return
  fi
  for line in $lines; do
    described+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
  done
  _describe countersign described
}
# Loaded by compinit it is called, sourced it says whose completion it is.
if [[ $funcstack[1] == _countersign ]]; then
  _countersign "$@"
else
  compdef _countersign countersign
fi
