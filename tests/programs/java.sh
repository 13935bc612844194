# java: javac, then threads, files, a child process and a socket.
# needs: javac java
# sees: mmap futex
# seconds: 120
cat >Job.java <<'END'
import java.io.*; import java.net.*; import java.nio.file.*; import java.util.concurrent.*;
import java.util.stream.*;
public class Job {
  public static void main(String[] a) throws Exception {
    var pool = Executors.newFixedThreadPool(6);
    var sums = IntStream.range(0, 30).mapToObj(n -> pool.submit(() -> { long t = 0;
        for (int i = 0; i < 200000; i++) t += i % (n + 1); return t; })).collect(Collectors.toList());
    long all = 0; for (var s : sums) all += s.get(); pool.shutdown();
    System.out.println(all + " " + pool.awaitTermination(30, TimeUnit.SECONDS));
    Files.writeString(Path.of("out"), "line\n".repeat(1000));
    System.out.println(Files.lines(Path.of("out")).count());
    var p = new ProcessBuilder("sh", "-c", "cat; exit 3").start();
    p.getOutputStream().write("to the child\n".getBytes()); p.getOutputStream().close();
    System.out.print(new String(p.getInputStream().readAllBytes())); System.out.println(p.waitFor());
    var server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
    var t = new Thread(() -> { try (var c = server.accept()) { c.getOutputStream().write("served".getBytes());
        } catch (IOException e) { System.out.println(e); } }); t.start();
    try (var c = new Socket(server.getInetAddress(), server.getLocalPort())) {
      System.out.println(new String(c.getInputStream().readAllBytes())); } t.join();
    byte[][] junk = new byte[64][]; for (int i = 0; i < 4000; i++) junk[i % 64] = new byte[100000];
    System.gc(); System.out.println(junk.length);
    try { Object o = null; o.hashCode(); } catch (NullPointerException e) { System.out.println("null caught"); }
    Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook")));
    System.exit(9);
  }
}
END
javac -J-Xshare:auto Job.java
echo "javac $?"
java -Xmx128m -XX:-UsePerfData Job
echo "java $?"
java NoSuchClass 2>&1 | head -n 1
