// What the exports are tested on: threads, children, sockets, signals, failures, a call that waits,
// names that are hard to write down.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void on_signal(int number) { (void)number; }

static void* work(void* name) {
  prctl(PR_SET_NAME, name);
  char buffer[64];
  struct stat is;
  for (int round = 0; round < 100; ++round) {
    const int fd = openat(AT_FDCWD, "/etc/passwd", O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    fstat(fd, &is);
    while (read(fd, buffer, sizeof buffer) > 0) {
    }
    lseek(fd, 0, SEEK_SET);
    pread(fd, buffer, 16, 4);
    close(fd);
    access("/nowhere/at/all", R_OK);
    getppid();
  }
  return NULL;
}

static void* serve(void* at) {
  const int listener = *(int*)at;
  const int peer = accept(listener, NULL, NULL);
  char buffer[256];
  ssize_t got;
  while ((got = recv(peer, buffer, sizeof buffer, 0)) > 0) send(peer, buffer, (size_t)got, 0);
  close(peer);
  return NULL;
}

static void talk(void) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof at;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  bind(listener, (struct sockaddr*)&at, sizeof at);
  listen(listener, 1);
  getsockname(listener, (struct sockaddr*)&at, &length);
  pthread_t server;
  pthread_create(&server, NULL, serve, (void*)&listener);
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  connect(client, (struct sockaddr*)&at, sizeof at);
  char buffer[256];
  for (int n = 0; n < 20; ++n) {
    struct iovec parts[2] = {{"GET / ", 6}, {"HTTP/1.0\r\n\r\n", 12}};
    writev(client, parts, 2);
    recv(client, buffer, sizeof buffer, MSG_WAITALL * 0);
  }
  shutdown(client, SHUT_RDWR);
  pthread_join(server, NULL);
  close(client);
  close(listener);
}

int main(void) {
  pthread_t threads[3];
  static char names[3][16] = {"worker-one", "worker-two", "worker-three"};
  for (int n = 0; n < 3; ++n) pthread_create(&threads[n], NULL, work, names[n]);
  for (int n = 0; n < 3; ++n) pthread_join(threads[n], NULL);
  talk();
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGUSR1, &action, NULL);
  raise(SIGUSR1);
  for (const char* const* name =
           (const char* const[]){"new\nline\"\x01\\", "no utf8 \xff\xfe", NULL};
       *name; ++name) {
    close(open(*name, O_CREAT | O_WRONLY, 0600));
    unlink(*name);
    open("/nowhere", O_RDONLY);
  }
  if (fork() == 0) {
    execl("/bin/sh", "sh", "-c", "cat /etc/passwd /nowhere >/dev/null 2>&1; exit 3", NULL);
    _exit(127);
  }
  if (fork() == 0) kill(getpid(), SIGKILL);
  while (wait(NULL) > 0) {
  }
  nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
  return 5;
}
