# bash completion for chi
_chi_identities() {
  local f
  for f in "${XDG_CONFIG_HOME:-$HOME/.config}"/chirograph/identities/*.id; do
    [[ -e $f ]] && basename "$f" .id
  done
}
_chi() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
  local cmd=${COMP_WORDS[1]} opts= i args=0
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W "check build run test cost inspect split import explain new net deploy call view log state inbox version help" -- "$cur"))
    return
  fi
  case $prev in
    --protocol) COMPREPLY=($(compgen -W "rep3 shamir" -- "$cur")); return ;;
    --field) COMPREPLY=($(compgen -W "p61 p127 prime:" -- "$cur")); return ;;
    --stage) COMPREPLY=($(compgen -W "high core sched" -- "$cur")); return ;;
    --opt) COMPREPLY=($(compgen -W "0 1 2" -- "$cur")); return ;;
    -o|--keep) COMPREPLY=($(compgen -d -- "$cur")); return ;;
    --as) COMPREPLY=($(compgen -W "$(_chi_identities)" -- "$cur")); return ;;
    --passphrase-file|--key-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    --input|--set|--nodes|--port|--timeout|--filter) return ;;
  esac
  case $cmd in
    check) opts="--field --set --json --help" ;;
    build) opts="-o --nodes --protocol --field --set --opt --json --help" ;;
    run) opts="--input --nodes --protocol --field --clear --check --openings --keep --timeout --opt --json --help" ;;
    test) opts="--nodes --protocol --field --clear --check --timeout --filter --list --opt --json --help" ;;
    cost) opts="--nodes --protocol --field --set --opt --json --help" ;;
    inspect) opts="--nodes --protocol --field --stage --spans --set --opt --json --help" ;;
    split) opts="--set --json --help" ;;
    new) opts="--passphrase-file --key-file --json --help" ;;
    net) opts="--nodes --protocol --port --timeout --json --help" ;;
    deploy) opts="--as --set --timeout --passphrase-file --key-file --json --help" ;;
    call) opts="--as --batch --timeout --passphrase-file --key-file --json --help" ;;
    view) opts="--as --json --help" ;;
    log) opts="--follow --json --help" ;;
    state) opts="--json --help" ;;
    inbox) opts="--as --passphrase-file --key-file --json --help" ;;
    import) opts="-o --json --help" ;;
    explain) opts="--all --markdown --json --help" ;;
    version) opts="--json --help" ;;
    help) COMPREPLY=($(compgen -W "check build run test cost inspect split import explain new net deploy call view log state inbox version" -- "$cur")); return ;;
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$opts" -- "$cur"))
    return
  fi
  case $cmd in
    explain)
      COMPREPLY=($(compgen -W "$(chi explain 2>/dev/null | cut -d' ' -f1)" -- "$cur")) ;;
    new) [[ $COMP_CWORD -eq 2 ]] && COMPREPLY=($(compgen -W identity -- "$cur")) ;;
    net) COMPREPLY=($(compgen -W "start stop status" -- "$cur")) ;;
    call|view|log|state|inbox) return ;;
    build|run|cost|inspect|split)
      local file=
      for ((i = 2; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == *.chi ]] && file=${COMP_WORDS[i]}
      done
      if [[ -n $file && -r $file ]]; then
        COMPREPLY=($(compgen -W "$(sed -n 's/^fn \([a-z_0-9]*\).*/\1/p' "$file")" -- "$cur"))
        return
      fi
      COMPREPLY=($(compgen -f -X '!*.chi' -- "$cur") $(compgen -d -- "$cur")) ;;
    *) COMPREPLY=($(compgen -f -X '!*.chi' -- "$cur") $(compgen -d -- "$cur")) ;;
  esac
}
complete -o filenames -F _chi chi
