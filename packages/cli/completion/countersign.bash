# Completion of `countersign` for bash. What was typed is passed on as it stands, and never evaluated.
_countersign() {
  local IFS=$' \t\n' line=${COMP_LINE:0:COMP_POINT} words word kept value
  read -d '' -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  word=${words[${#words[@]} - 1]}
  # Bash replaces only what follows the last of its word breaks.
  kept=${word%"${word##*["$COMP_WORDBREAKS"]}"}
  COMPREPLY=()
  while IFS=$'\t' read -r value _; do
    if [[ $value == :files ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "${word#--*=}")
    else
      COMPREPLY+=("${value#"$kept"}")
    fi
  done < <(countersign complete -- "${words[@]:1}" 2>/dev/null)
}
complete -F _countersign countersign
