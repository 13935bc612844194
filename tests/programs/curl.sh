# curl against python's own web server on this machine.
# needs: curl python3
# sees: connect sendto accept4,accept
# drops: ^Terminated$
P=/usr/bin/python3
[ -x $P ] || P=python3
mkdir www
seq 50000 >www/numbers
echo hello >www/hello
$P -m http.server -d www --bind 127.0.0.1 "$PORT" >served 2>&1 &
server=$!
tries=0
until curl -s -o /dev/null "http://127.0.0.1:$PORT/hello"; do
  tries=$((tries + 1))
  [ $tries -lt 600 ] || break
  sleep 0.1
done
curl -s "http://127.0.0.1:$PORT/hello"
curl -s "http://127.0.0.1:$PORT/numbers" | cksum
curl -s -o fetched "http://127.0.0.1:$PORT/numbers" && cmp fetched www/numbers && echo same
curl -s -I "http://127.0.0.1:$PORT/hello" | grep -i -e '^content' -e '^HTTP' | tr -d '\r'
curl -s -f "http://127.0.0.1:$PORT/nothing"
echo "missing: $?"
for i in 1 2 3 4; do curl -s "http://127.0.0.1:$PORT/numbers" | cksum >sum.$i & pids="$pids $!"; done
wait $pids
cat sum.*
kill $server
wait $server
echo "server $?"
rm served
curl -s "http://127.0.0.1:$PORT/hello"
echo "refused: $?"
curl -s "file://$PWD/www/hello"
