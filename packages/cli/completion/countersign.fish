# Completion of `countersign` for fish. What was typed is passed on, and never evaluated.
function __countersign_complete
    set -l typed (commandline -opc)
    set -l word (commandline -ct)
    set -l lines (countersign complete -- $typed[2..] "$word" 2>/dev/null)
    if test "$lines[1]" = :files
        __fish_complete_path "$word"
    else
        printf '%s\n' $lines
    end
end
complete -c countersign -f -a '(__countersign_complete)'
