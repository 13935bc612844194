// What only the kernel knows of descriptors: where links led, who is at the other end, what a
// message brought; and what is known of one before a call puts another in its place.
#include "say.h"

#include <linux/fs.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static char cwd[4096];

static unsigned long inode_of(int fd) {
  struct stat status;
  return fstat(fd, &status) ? 0 : status.st_ino;
}

// Shows what is behind it, and closes it.
static void shown(int fd, const char* what) {
  say(syscall(SYS_lseek, fd, 0L, SEEK_CUR), "lseek(%d<%s>, 0, SEEK_CUR)", fd, what);
  close(fd);
}

static void shown_file(int fd, const char* name) {
  char path[sizeof cwd + 64];
  snprintf(path, sizeof path, "%s/%s", cwd, name);
  shown(fd, path);
}

static void opens(const char* name, int flags, const char* words, const char* path) {
  const int fd = openat(AT_FDCWD, name, flags);
  char line[9000];
  snprintf(line, sizeof line, "openat(AT_FDCWD<%s>, \"%s\", %s)", cwd, name, words);
  printf("%-39s = %d<%s/%s>\n", line, fd, cwd, path);
  shown_file(fd, path);
}

// Twice each: the second time by what was found out the first.
static void links(void) {
  mkdir("folder", 0700), symlink("folder", "way"), symlink("folder/file", "file");
  close(creat("folder/file", 0600));
  for (int i = 0; i < 2; ++i) {
    opens("file", O_RDONLY, "O_RDONLY", "folder/file");
    opens("way/file", O_RDONLY, "O_RDONLY", "folder/file");
    opens("folder/file", O_RDONLY, "O_RDONLY", "folder/file");
    opens("way", O_PATH | O_NOFOLLOW, "O_RDONLY|O_NOFOLLOW|O_PATH", "way");
  }
  // What was no link the last time may be one now.
  rename("folder/file", "folder/other"), symlink("other", "folder/file");
  opens("folder/file", O_RDONLY, "O_RDONLY", "folder/other");
  say(syscall(SYS_chdir, "way"), "chdir(\"way\")");
  strcat(cwd, "/folder");
  opens("other", O_RDONLY, "O_RDONLY", "other");
}

static void exchanged(void) {
  const int one = creat("one", 0600), two = creat("two", 0600);
  syscall(SYS_renameat2, AT_FDCWD, "one", AT_FDCWD, "two", RENAME_EXCHANGE);
  syscall(SYS_dup2, one, two);
  char line[9000];
  snprintf(line, sizeof line, "dup2(%d<%s/two>, %d<%s/one>)", one, cwd, two, cwd);
  printf("%-39s = %d<%s/two>\n", line, two, cwd);
  shown_file(two, "two");
  shown_file(one, "two");
}

static void peers(void) {
  struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = "at"};
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0), one = socket(AF_UNIX, SOCK_STREAM, 0);
  bind(listener, (struct sockaddr*)&at, sizeof at), listen(listener, 1);
  connect(one, (struct sockaddr*)&at, sizeof at);
  const int other = syscall(SYS_accept, listener, NULL, NULL);
  const unsigned long here = inode_of(one), there = inode_of(other);
  printf("accept(%d<UNIX-STREAM:[%lu,\"at\"]>, NULL, NULL) = %d<UNIX-STREAM:[%lu->%lu,\"at\"]>\n",
         listener, inode_of(listener), other, there, here);
  char both[64];
  snprintf(both, sizeof both, "UNIX-STREAM:[%lu->%lu]", here, there);
  shown(one, both);
}

static void received(void) {
  int ends[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr header;
  } control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
  const int sent = creat("sent", 0600);
  memcpy(CMSG_DATA(&control.header), &sent, sizeof sent);
  char byte = 'x';
  struct iovec data = {&byte, 1};
  struct mmsghdr message = {.msg_len = 0,
                            .msg_hdr = {.msg_iov = &data,
                                        .msg_iovlen = 1,
                                        .msg_control = control.bytes,
                                        .msg_controllen = sizeof control.bytes}};
  sendmsg(ends[0], &message.msg_hdr, 0);
  recvmmsg(ends[1], &message, 1, 0, NULL);
  int fd;
  memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
  shown_file(fd, "sent");
}

int main(void) {
  if (!getcwd(cwd, sizeof cwd - 8)) return 77;
  links();
  exchanged();
  peers();
  received();
  return 0;
}
