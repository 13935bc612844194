# perl: files, fork, pipes, sockets, signals, sorting.
# needs: perl
# sees: openat pipe2 socketpair
cat >job.pl <<'END'
use strict; use warnings; use Socket; use IO::Handle;
$| = 1;
open(my $out, '>', 'numbers') or die; print $out "$_\n" for reverse 1 .. 5000; close $out;
open(my $in, '<', 'numbers') or die; my @n = sort { $a <=> $b } <$in>; print "first $n[0]last $n[-1]";
socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die;
my $pid = fork();
if (!$pid) { close $a; while (my $l = <$b>) { $b->print(uc $l); $b->flush; } exit 4; }
close $b; $a->autoflush(1);
for my $w (qw(alpha beta gamma)) { print $a "$w\n"; my $r = <$a>; print "got $r"; }
close $a; waitpid $pid, 0; print "child ", $? >> 8, "\n";
my $lines = `ls /usr/include | wc -l`; print "ls: ", $lines > 10 ? "many" : "few", "\n";
local $SIG{ALRM} = sub { die "alarm\n" };
eval { alarm 1; select undef, undef, undef, 30; }; print "eval: $@";
local $SIG{USR1} = sub { print "usr1\n" }; kill USR1 => $$;
mkdir 'd' or die; for my $i (1 .. 20) { open my $f, '>', "d/$i" or die; print $f $i x $i; }
opendir my $d, 'd' or die; my @names = sort grep { !/^\./ } readdir $d; print "@names\n";
rename 'd/1', 'd/one' or die; unlink 'd/2'; print -e 'd/2' ? "there" : "gone", "\n";
print -s 'd/20', "\n"; exit 3;
END
perl job.pl
echo "perl ended with $?"
perl -e 'die "dying\n"'
echo "died with $?"
perl -MPOSIX -e 'kill SIGABRT, $$; sleep 5'
echo "aborted with $?"
