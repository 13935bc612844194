# redis-server under redis-benchmark, on a socket file; saved, stopped, started again.
# needs: redis-server redis-benchmark redis-cli
# sees: epoll_wait accept4,accept read write
# seconds: 120
# varies: dump.rdb temp-*
start() {
  redis-server --port 0 --unixsocket "$PWD/s" --save '' --appendonly no --dir "$PWD" --daemonize no \
    --logfile log &
  server=$!
  tries=0
  until redis-cli -s s ping >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 600 ] || break
    sleep 0.1
  done
}
start
redis-cli -s s mset a 1 b 2
redis-cli -s s --raw incrby a 41
redis-benchmark -s s -q -n 5000 -c 20 -t ping,set,get,incr,lpush,lrange_100 | grep -c 'requests per second'
redis-cli -s s eval 'local n = 0 for i = 1, 1000 do n = n + redis.call("incr", "lua") end return n' 0
redis-cli -s s --raw get counter:__rand_int__
redis-cli -s s llen mylist
redis-cli -s s save
redis-cli -s s bgsave
redis-cli -s s shutdown nosave
wait $server
echo "server $?"
start
redis-cli -s s get a
redis-cli -s s no-such-command
redis-cli -s s shutdown nosave
wait $server
echo "server $?"
rm -f log s
