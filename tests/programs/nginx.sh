# nginx with two workers, under ab.
# needs: nginx ab curl
# sees: epoll_wait accept4,accept writev,sendfile
# varies: logs/*
# seconds: 90
mkdir www logs
seq 5000 >www/numbers
echo hello >www/index.html
chmod 755 . .. www
cat >nginx.conf <<END
daemon off; worker_processes 2; pid $PWD/logs/pid; error_log $PWD/logs/error;
$([ "$(id -u)" -eq 0 ] && echo 'user root;')
events { worker_connections 200; }
http {
  access_log $PWD/logs/access; sendfile on; default_type text/plain;
  client_body_temp_path logs/1; proxy_temp_path logs/2; fastcgi_temp_path logs/3;
  uwsgi_temp_path logs/4; scgi_temp_path logs/5;
  server { listen 127.0.0.1:$PORT; root $PWD/www; location /twice { return 200 "twice\n"; } }
}
END
nginx -p "$PWD" -e "$PWD/logs/error" -c "$PWD/nginx.conf" -t >/dev/null 2>&1
echo "test $?"
nginx -p "$PWD" -e "$PWD/logs/error" -c "$PWD/nginx.conf" &
server=$!
tries=0
until curl -s -o /dev/null "http://127.0.0.1:$PORT/"; do
  tries=$((tries + 1))
  [ $tries -lt 600 ] || break
  sleep 0.1
done
curl -s "http://127.0.0.1:$PORT/"
curl -s "http://127.0.0.1:$PORT/twice"
curl -s "http://127.0.0.1:$PORT/numbers" | cksum
ab -q -k -c 10 -n 5000 "http://127.0.0.1:$PORT/numbers" | grep -E '^(Complete|Failed) requests|^Document'
ab -q -c 5 -n 1000 "http://127.0.0.1:$PORT/nothing" | grep -E '^(Complete|Failed|Non-2xx)'
kill -HUP $server
curl -s --retry 3 "http://127.0.0.1:$PORT/twice"
kill -QUIT $server
wait $server
echo "nginx $?"
