# dash: builtins, redirections, subshells, vforked children.
# needs: dash grep sed sort
# sees: execve wait4 openat
dash -c 'for i in 1 2 3; do echo $i; done | sed s/2/two/ | sort -r'
dash -c 'grep -c include /usr/include/stdio.h; exec grep -n EOF /usr/include/stdio.h' | head -n 3
dash -c 'set -e; x=$(echo a; exit 3) || echo "substitution $?"; (exit 9) || echo "subshell $?"'
dash -c 'echo one >f; echo two >>f; read -r l <f; echo "$l"; cat f 1>&2; no-such-command-here; exit $?'
echo "dash ended with $?"
dash -c 'trap "echo term; exit 5" TERM; kill -TERM $$; echo not reached'
echo "trapped $?"
dash -c 'kill -9 $$'
echo "killed $?"
seq 200 | dash -c 'while read -r n; do [ $((n % 50)) -eq 0 ] && /bin/echo $n; done; true'
