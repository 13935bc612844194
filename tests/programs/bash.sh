# bash: pipelines, subshells, background jobs, traps, process substitution, here-documents.
# needs: bash
# sees: pipe2 dup2 wait4 execve
cat >job.bash <<'END'
set -o pipefail
seq 1 2000 | while read -r n; do echo $((n * n)); done | sort -n | tail -n 1
(cd / && pwd; (exit 7); echo "inner $?")
for i in 1 2 3 4 5 6; do (echo "job $i" >job.$i; exit $i) & pids[$i]=$!; done
for i in 1 2 3 4 5 6; do wait ${pids[$i]}; echo "job $i ended with $?"; done
trap 'echo caught USR1' USR1
kill -USR1 $$
diff <(printf 'a\nb\n') <(printf 'a\nc\n')
cat <<<"a here-string"
coproc UP { while read -r l; do echo "${l^^}"; done; }
echo shout >&${UP[1]}
read -r answer <&${UP[0]}
echo "$answer"
eval "exec ${UP[1]}>&-"
wait $UP_PID
echo "coproc ended with $?"
sleep 100 & kill -TERM $!; wait $! 2>/dev/null; echo "killed: $?"
false | true; echo "pipefail $?"
text=$(for i in $(seq 50); do echo -n "$(echo $i) "; done); echo "$text"
exec 5<>rw; echo through five >&5; cat rw
ulimit -n; umask
trap 'echo bye' EXIT
exit 42
END
bash job.bash
echo "bash ended with $?"
bash -c 'kill -SEGV $$'
echo "segv: $?"
bash -c 'echo $(ls /proc/self/fd | wc -l)'
