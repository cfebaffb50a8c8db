# fish completion for chi
set -l commands check build run test cost inspect split import explain new net deploy call view log state inbox version help
complete -c chi -f
complete -c chi -n "not __fish_seen_subcommand_from $commands" -a check -d 'errors and warnings only'
complete -c chi -n "not __fish_seen_subcommand_from $commands" -a build -d 'the circuit as C, header and manifest'
complete -c chi -n "not __fish_seen_subcommand_from $commands" -a run -d 'computes a function on nodes of this machine'
complete -c chi -n "not __fish_seen_subcommand_from $commands" -a test -d 'its test blocks, in the clear and on nodes'
complete -c chi -n "not __fish_seen_subcommand_from $commands" -a cost -d 'rounds and bytes, exactly what run measures'
complete -c chi -n "not __fish_seen_subcommand_from $commands" -a inspect -d 'the circuit as text'
complete -c chi -n "not __fish_seen_subcommand_from $commands" -a explain -d 'the long story of a diagnostic'
complete -c chi -n "not __fish_seen_subcommand_from $commands" -a import -d 'the declaration for a circuit file'
complete -c chi -n "__fish_seen_subcommand_from import" -F -a bristol
complete -c chi -n "not __fish_seen_subcommand_from $commands" -a split -d 'where an action is cut'
complete -c chi -n "not __fish_seen_subcommand_from $commands" -a new -d 'an identity, a key pair of yours'
complete -c chi -n "not __fish_seen_subcommand_from $commands" -a net -d 'a local network of nodes and a ledger'
complete -c chi -n "not __fish_seen_subcommand_from $commands" -a deploy -d 'a contract onto the ledger'
complete -c chi -n "not __fish_seen_subcommand_from $commands" -a call -d 'runs an action of a contract'
complete -c chi -n "not __fish_seen_subcommand_from $commands" -a view -d 'what a view of a contract says'
complete -c chi -n "not __fish_seen_subcommand_from $commands" -a log -d 'the history of a contract, verified'
complete -c chi -n "not __fish_seen_subcommand_from $commands" -a state -d 'the state of a contract'
complete -c chi -n "not __fish_seen_subcommand_from $commands" -a inbox -d 'values told to an identity'
complete -c chi -n "not __fish_seen_subcommand_from $commands" -a version -d 'version of the command'
complete -c chi -n "not __fish_seen_subcommand_from $commands" -a help -d 'the commands, or the page of one'
complete -c chi -n "__fish_seen_subcommand_from check build run test cost inspect split deploy" -F -a '(__fish_complete_suffix .chi)'
complete -c chi -n "__fish_seen_subcommand_from $commands" -l json -d 'results as JSON'
complete -c chi -n "__fish_seen_subcommand_from $commands" -l help -d 'the page of the command'
complete -c chi -n "__fish_seen_subcommand_from run" -l input -x -d 'NAME=VALUE'
complete -c chi -n "__fish_seen_subcommand_from run test cost net" -l nodes -x -d 'how many nodes compute'
complete -c chi -n "__fish_seen_subcommand_from build run test cost inspect net" -l protocol -x -a 'rep3 shamir'
complete -c chi -n "__fish_seen_subcommand_from check build run test cost inspect" -l field -x -a 'p61 p127 prime:'
complete -c chi -n "__fish_seen_subcommand_from run test" -l clear -d 'on clear values'
complete -c chi -n "__fish_seen_subcommand_from run test" -l check -d 'and stop at the first mistake'
complete -c chi -n "__fish_seen_subcommand_from run" -l openings -d 'list what is opened'
complete -c chi -n "__fish_seen_subcommand_from run" -l keep -r -d 'keep the emitted files'
complete -c chi -n "__fish_seen_subcommand_from run test net deploy call" -l timeout -x -d 'seconds'
complete -c chi -n "__fish_seen_subcommand_from test" -l filter -x -d 'tests whose name contains a text'
complete -c chi -n "__fish_seen_subcommand_from test" -l list -d 'names only'
complete -c chi -n "__fish_seen_subcommand_from build" -s o -r -d 'where the files go'
complete -c chi -n "__fish_seen_subcommand_from inspect" -l stage -x -a 'high core sched'
complete -c chi -n "__fish_seen_subcommand_from inspect" -l spans -d 'say where instructions come from'
complete -c chi -n "__fish_seen_subcommand_from build run test cost inspect" -l opt -x -a '0 1 2'
complete -c chi -n "__fish_seen_subcommand_from explain" -l all -d 'every diagnostic'
complete -c chi -n "__fish_seen_subcommand_from explain" -l markdown -d 'as documentation'
complete -c chi -n "__fish_seen_subcommand_from explain" -x -a '(chi explain | cut -d" " -f1)'
complete -c chi -n "__fish_seen_subcommand_from help" -x -a "$commands"
complete -c chi -n "__fish_seen_subcommand_from check build cost inspect split deploy" -l set -x -d 'NAME=VALUE of a template parameter'
complete -c chi -n "__fish_seen_subcommand_from new; and test (count (commandline -opc)) -eq 2" -x -a identity
complete -c chi -n "__fish_seen_subcommand_from net" -x -a 'start stop status'
complete -c chi -n "__fish_seen_subcommand_from deploy call view inbox" -l as -x -a '(__chi_identities)'
complete -c chi -n "__fish_seen_subcommand_from new deploy call inbox" -l passphrase-file -r -F -d 'its first line is the passphrase'
complete -c chi -n "__fish_seen_subcommand_from new deploy call inbox" -l key-file -r -F -d '32 bytes that open the identity'
complete -c chi -n "__fish_seen_subcommand_from call" -l batch -r -F -d 'calls, one a line'
complete -c chi -n "__fish_seen_subcommand_from log" -l follow -d 'go on with the records that come'
function __chi_identities
    set -l dir $HOME/.config
    set -q XDG_CONFIG_HOME; and set dir $XDG_CONFIG_HOME
    for f in $dir/chirograph/identities/*.id
        basename $f .id
    end
end
