// Sockets, message queues and other ways from process to process.
#define _GNU_SOURCE
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "canary.h"

static int pair[2];
static int told(const char* text) {  // a socket from which that can be received
  if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair)) return -1;
  send(pair[1], text, strlen(text), 0);
  return pair[0];
}
static void untold(void) { close(pair[0]), close(pair[1]); }

static int bound(int type) {
  const int fd = socket(AF_INET, type, 0);
  const struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  bind(fd, (const struct sockaddr*)&any, sizeof any);
  return fd;
}
static socklen_t* length_of(int n, socklen_t value) {
  socklen_t* length = place(n);
  *length = value;
  may(length, sizeof *length);
  return length;
}

static void case_socketpair(void) {
  may(place(1), 8);
  if (call(SYS_socketpair, (long)AF_UNIX, (long)SOCK_STREAM, 0L, place(1)) == 0)
    close(((int*)place(1))[0]), close(((int*)place(1))[1]);
}
static void case_getsockname(void) {
  const int fd = bound(SOCK_DGRAM);
  may(place(1), 100);
  call(SYS_getsockname, fd, place(1), length_of(2, 100));
  close(fd);
}
static void case_getsockname_short(void) {
  const int fd = bound(SOCK_DGRAM);
  may(place(1), 5);
  call(SYS_getsockname, fd, place(1), length_of(2, 5));
  close(fd);
}
static int accepting(int* client) {
  const int fd = bound(SOCK_STREAM);
  struct sockaddr_in where;
  socklen_t size = sizeof where;
  listen(fd, 1);
  getsockname(fd, (struct sockaddr*)&where, &size);
  *client = socket(AF_INET, SOCK_STREAM, 0);
  connect(*client, (const struct sockaddr*)&where, size);
  return fd;
}
static void case_accept4(void) {
  int client;
  const int fd = accepting(&client);
  may(place(1), 64);
  close((int)call(SYS_accept4, fd, place(1), length_of(2, 64), 0L));
  close(fd), close(client);
}
static void case_accept(void) {
  int client;
  const int fd = accepting(&client);
  may(place(1), 3);
  close((int)call(SYS_accept, fd, place(1), length_of(2, 3)));
  close(fd), close(client);
}
static void case_getpeername(void) {
  int client;
  const int fd = accepting(&client);
  may(place(1), 64);
  call(SYS_getpeername, client, place(1), length_of(2, 64));
  close(fd), close(client);
}
static void case_getsockopt(void) {
  const int fd = told("");
  may(place(1), 12);
  call(SYS_getsockopt, fd, (long)SOL_SOCKET, (long)SO_PEERCRED, place(1), length_of(2, 12));
  untold();
}
static void case_getsockopt_short(void) {
  const int fd = told("");
  may(place(1), 2);
  call(SYS_getsockopt, fd, (long)SOL_SOCKET, (long)SO_TYPE, place(1), length_of(2, 2));
  untold();
}
static void case_recvfrom(void) {
  const int fd = bound(SOCK_DGRAM);
  struct sockaddr_in where;
  socklen_t size = sizeof where;
  getsockname(fd, (struct sockaddr*)&where, &size);
  sendto(fd, "to myself", 9, 0, (const struct sockaddr*)&where, size);
  may(place(1), 100);
  may(place(2), 64);
  call(SYS_recvfrom, fd, place(1), 100L, 0L, place(2), length_of(3, 64));
  close(fd);
}
static void case_recvfrom_short(void) {
  const int fd = told("longer than there is room");
  may(place(1), 4);
  call(SYS_recvfrom, fd, place(1), 4L, (long)MSG_TRUNC, 0L, 0L);
  untold();
}

// A header, its vector of two buffers, a name and room for control messages.
static struct msghdr* header(int at, int buffers) {
  struct msghdr* h = place(at);
  struct iovec* v = (struct iovec*)((char*)place(at) + 256);
  v[0] = (struct iovec){place(buffers), 3};
  v[1] = (struct iovec){place(buffers + 1), 64};
  *h = (struct msghdr){.msg_name = (char*)place(at) + 512,
                       .msg_namelen = 128,
                       .msg_iov = v,
                       .msg_iovlen = 2,
                       .msg_control = (char*)place(at) + 1024,
                       .msg_controllen = 256};
  may(h, sizeof *h);
  may(v[0].iov_base, 3), may(v[1].iov_base, 64);
  may(h->msg_name, 128), may(h->msg_control, 256);
  return h;
}
static void case_recvmsg(void) {
  const int fd = told("some words"), on = 1;
  setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  send(pair[1], "words with credentials", 22, 0);
  recv(fd, (char[16]){0}, 16, 0);
  call(SYS_recvmsg, fd, header(4, 1), 0L);
  untold();
}
static void case_recvmmsg(void) {
  const int fd = told("first");
  send(pair[1], "and second", 10, 0);
  struct mmsghdr* all = place(6);
  const struct msghdr one = *header(4, 0), other = *header(5, 2);
  memset(all, 0, 2 * sizeof *all);
  all[0].msg_hdr = one, all[1].msg_hdr = other;
  may(all, 2 * sizeof *all);
  call(SYS_recvmmsg, fd, all, 2L, (long)MSG_DONTWAIT, 0L);
  untold();
}
static void case_ioctl_siocgifconf(void) {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct {
    int length;
    void* at;
  }* ask = place(1);
  ask->length = 400, ask->at = place(2);
  may(ask, 16);
  may(place(2), 400);
  call(SYS_ioctl, fd, 0x8912L, ask);
  close(fd);
}
static void case_ioctl_siocgifflags(void) {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  strcpy(place(1), "lo");
  may(place(1), 40);
  call(SYS_ioctl, fd, 0x8913L, place(1));
  close(fd);
}

static void case_msgrcv(void) {
  const int queue = msgget(IPC_PRIVATE, 0600);
  if (queue < 0) return leave_out("no message queues here");
  const struct {
    long type;
    char text[8];
  } message = {3, "message"};
  msgsnd(queue, &message, 8, 0);
  may(place(1), 8 + 50);
  call(SYS_msgrcv, queue, place(1), 50L, 0L, 0L);
  msgctl(queue, IPC_RMID, 0);
}
static void case_msgctl(void) {
  const int queue = msgget(IPC_PRIVATE, 0600);
  may(place(1), sizeof(struct msqid_ds));
  call(SYS_msgctl, queue, (long)IPC_STAT, place(1));
  msgctl(queue, IPC_RMID, 0);
}
static void case_semctl_stat(void) {
  const int set = semget(IPC_PRIVATE, 3, 0600);
  may(place(1), sizeof(struct semid_ds));
  call(SYS_semctl, set, 0L, (long)IPC_STAT, place(1));
  semctl(set, 0, IPC_RMID);
}
static void case_semctl_getall(void) {
  const int set = semget(IPC_PRIVATE, 3, 0600);
  may(place(1), 6);
  call(SYS_semctl, set, 0L, (long)GETALL, place(1));
  semctl(set, 0, IPC_RMID);
}
static void case_shmctl(void) {
  const int memory = shmget(IPC_PRIVATE, 4096, 0600);
  may(place(1), sizeof(struct shmid_ds));
  call(SYS_shmctl, memory, (long)IPC_STAT, place(1));
  shmctl(memory, IPC_RMID, 0);
}
static int queue(void) {
  struct mq_attr how = {.mq_maxmsg = 4, .mq_msgsize = 64};
  const int fd = (int)syscall(SYS_mq_open, "canary", O_RDWR | O_CREAT | O_NONBLOCK, 0600, &how);
  syscall(SYS_mq_unlink, "canary");
  return fd;
}
static void case_mq_timedreceive(void) {
  const int fd = queue();
  if (fd < 0) return leave_out("no POSIX message queues here");
  syscall(SYS_mq_timedsend, fd, "message", 7, 2, 0);
  may(place(1), 64);
  may(place(2), 4);
  call(SYS_mq_timedreceive, fd, place(1), 64L, place(2), 0L);
  close(fd);
}
static void case_mq_getsetattr(void) {
  const int fd = queue();
  may(place(1), 64);
  call(SYS_mq_getsetattr, fd, 0L, place(1));
  close(fd);
}

#define CASE(name) \
  { #name, case_##name }
const struct Named socket_cases[] = {
    CASE(socketpair),
    CASE(getsockname),
    CASE(getsockname_short),
    CASE(accept4),
    CASE(accept),
    CASE(getpeername),
    CASE(getsockopt),
    CASE(getsockopt_short),
    CASE(recvfrom),
    CASE(recvfrom_short),
    CASE(recvmsg),
    CASE(recvmmsg),
    CASE(ioctl_siocgifconf),
    CASE(ioctl_siocgifflags),
    CASE(msgrcv),
    CASE(msgctl),
    CASE(semctl_stat),
    CASE(semctl_getall),
    CASE(shmctl),
    CASE(mq_timedreceive),
    CASE(mq_getsetattr),
    {0, 0},
};
