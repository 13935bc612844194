# php and ruby.
# needs: php ruby
# sees: openat write
cat >job.php <<'END'
<?php
file_put_contents("p", str_repeat("php\n", 500));
echo count(file("p")), " ", filesize("p"), "\n";
echo trim(shell_exec("echo from sh")), "\n";
$p = proc_open(["cat"], [["pipe", "r"], ["pipe", "w"]], $io);
fwrite($io[0], "round trip"); fclose($io[0]); echo stream_get_contents($io[1]), "\n"; echo proc_close($p), "\n";
foreach (glob("/usr/include/std*.h") as $f) $n[] = basename($f);
sort($n); echo implode(" ", $n), "\n"; usleep(1000);
exit(6);
END
php -n job.php
echo "php $?"
cat >job.rb <<'END'
STDOUT.sync = true
ts = (1..8).map { |i| Thread.new { (1..500).sum { |k| k * i } } }
puts ts.map(&:value).inspect
r, w = IO.pipe
pid = fork { r.close; w.puts "child #{$$ != Process.ppid}"; exit! 4 }
w.close; puts r.read; Process.wait pid; puts $?.exitstatus
puts `seq 5 | tail -n 1`
File.write("r", "ruby" * 1000); puts File.size("r")
trap("USR2") { puts "usr2" }; Process.kill("USR2", $$); sleep 0.01
puts Dir.children("/usr/include").select { |n| n =~ /^std.*h$/ }.sort.join(" ")
system("exit 8"); puts $?.exitstatus
exit 5
END
ruby --disable-gems job.rb
echo "ruby $?"
